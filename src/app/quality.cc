#include "app/quality.h"

#include "app/bad_lines.h"
#include "app/output_file.h"
#include "app/terminal/table.h"
#include "base/human.h"
#include "ingest/quality.h"
#include "json/json.h"

namespace millrace::app {

Result<int> quality_report(Session& session, const spec::Pipeline& pipeline,
                           const std::string& data, const std::string& out) {
  if (data.empty()) {
    return Error(ErrorCode::kUsage, "--qc reports on a file; name it with --data");
  }
  if (out == "-") {
    return Error(ErrorCode::kUsage, "--out is a file; --json puts the report on standard output");
  }
  MILLRACE_ASSIGN(const ingest::QualityReport report,
                  ingest::measure_quality(pipeline, data, session.stop()));
  if (!out.empty()) {
    MILLRACE_ASSIGN(OutputFile file, OutputFile::open(session, out));
    const bool csv = out.ends_with(".csv");
    MILLRACE_TRY(
        file.write(csv ? ingest::to_csv(report) : json::to_pretty(ingest::to_json(report))));
    MILLRACE_TRY(file.close());
  }
  Table table({{"column"},
               {"total", Table::Align::kRight},
               {"missing", Table::Align::kRight},
               {"", Table::Align::kRight},
               {"invalid", Table::Align::kRight},
               {"mean", Table::Align::kRight},
               {"std", Table::Align::kRight},
               {"min", Table::Align::kRight},
               {"max", Table::Align::kRight},
               {"longest gap", Table::Align::kRight}});
  for (const ingest::ColumnQuality& column : report.columns) {
    const auto number = [&column](double value) {
      return column.numbers == 0 ? std::string("-") : human_number(value, 2);
    };
    table.add_row({column.name, human_count(column.total), human_count(column.missing),
                   human_percent(column.missing_percent() / 100), human_count(column.invalid),
                   number(column.mean), number(column.std_dev), number(column.min),
                   number(column.max), human_count(column.longest_gap)});
  }
  std::vector<engine::BadLine> bad;
  for (const ingest::BadRow& row : report.bad) bad.push_back({row.line, row.message});
  say_bad_lines(session, bad, report.bad_rows);
  std::string head = report.source + ": " + human_count(report.rows) + " rows, " +
                     human_count(report.bad_rows) + " bad";
  if (report.absent_steps > 0) {
    head += ", " + human_count(report.absent_steps, "step", "steps") + " of " +
            "the series without a row";
  }
  MILLRACE_TRY(session.finish(ingest::to_json(report), head + "\n" + table.to_string()));
  return report.bad_rows > 0 ? exit_code_of(ErrorCode::kBadData) : 0;
}

}  // namespace millrace::app
