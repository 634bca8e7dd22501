#include "report/summary_csv.h"

#include <fmt/format.h>

#include "base/csv_cell.h"

namespace millrace::report {

std::string top_risk_to_csv(const data::RunSummary& summary, const std::string& key_name) {
  std::string csv;
  append_csv_cell(csv, key_name);
  csv += ",probability";
  for (const std::string& field : summary.risk_fields) {
    csv += ",";
    append_csv_cell(csv, field);
  }
  csv += "\r\n";
  for (const data::RiskRow& row : summary.top_risk) {
    append_csv_cell(csv, row.key);
    csv += fmt::format(",{:.6f}", row.probability);
    for (std::size_t i = 0; i < summary.risk_fields.size(); ++i) {
      csv += ",";
      if (i < row.values.size()) append_csv_cell(csv, row.values[i]);
    }
    csv += "\r\n";
  }
  return csv;
}

}  // namespace millrace::report
