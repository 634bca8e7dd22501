#include "report/summary_csv.h"

#include <fmt/format.h>

#include "report/internal/escape.h"

namespace millrace::report {

std::string top_risk_to_csv(const data::RunSummary& summary, const std::string& key_name) {
  std::string csv = csv_cell(key_name) + ",probability";
  for (const std::string& field : summary.risk_fields) csv += "," + csv_cell(field);
  csv += "\r\n";
  for (const data::RiskRow& row : summary.top_risk) {
    csv += csv_cell(row.key) + fmt::format(",{:.6f}", row.probability);
    for (std::size_t i = 0; i < summary.risk_fields.size(); ++i) {
      csv += ",";
      if (i < row.values.size()) csv += csv_cell(row.values[i]);
    }
    csv += "\r\n";
  }
  return csv;
}

}  // namespace millrace::report
