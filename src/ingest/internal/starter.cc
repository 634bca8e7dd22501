#include "ingest/internal/starter.h"

#include <algorithm>

#include "base/human.h"
#include "base/text.h"
#include "ingest/internal/yaml_text.h"

namespace millrace::ingest {
namespace {

constexpr std::size_t kSegmentsMax = 2;
constexpr std::size_t kSegmentLevelsMax = 10;
constexpr std::size_t kRiskFieldsMax = 4;
constexpr std::size_t kRemarkColumn = 48;

std::string head(const Starter& s) {
  std::string text = "# A first pipeline for " + printable(s.file) + " (" + human_count(s.rows) +
                     " rows), written by `millrace init`.\n"
                     "# It trains, produces and scores as it stands. Worth a look before it is "
                     "relied on:\n"
                     "#   schema    types and levels are those of the file; bounds (min, max) are "
                     "yours to add.\n"
                     "#             A level that is not listed sets its record aside "
                     "(unknown: missing takes it).\n"
                     "#   features  leave out what is not known yet when a record is to be "
                     "scored.\n"
                     "# `millrace explain` shows every value in force, `millrace validate` checks "
                     "changes.\n";
  if (s.bad_rows > 0) {
    text += "# " + human_count(s.bad_rows) + " rows could not be read, the first on line " +
            std::to_string(s.first_bad_line) + ".\n";
  }
  return text + "version: 1\nname: " + yaml_text(s.name) + "\n";
}

std::string topics(const Starter& s) {
  std::string text = "\ninput:\n  topic: " + s.name + ".raw\n  partitions: 3\n";
  if (s.key.empty()) {
    text += "  # No column holds a different value in every row, so records have no key.\n";
  } else {
    text += "  key: " + yaml_text(s.key) + "\n";
  }
  if (!s.event_time.empty()) {
    text += "  event_time: " + yaml_text(s.event_time);
    if (s.stamped_event_time) text += "      # no column of the file: produce stamps it";
    text += "\n";
  }
  text += "\noutput:\n  topic: " + s.name + ".predictions\n  partitions: 3\n" +
          "  label: prediction\n  probability: probability\n  positive: " + yaml_text(s.positive) +
          "      # the rarer level, " + human_percent(s.positive_share) + " of the rows\n";
  return text + "\ndead_letter:\n  topic: " + s.name + ".deadletter\n  partitions: 1\n";
}

std::string dialect(const Starter& s) {
  if (s.format != codec::TableFormat::kCsv) return "";
  const std::string separator =
      s.csv.separator == '\t' ? "tab" : "'" + std::string(1, s.csv.separator) + "'";
  std::string text = "\n# How the file is written.\ncsv:\n  separator: " + separator + "\n";
  if (s.csv.decimal_comma) text += "  decimal_comma: true\n";
  if (!s.csv.ignore_columns.empty()) {
    text += "  ignore_columns: ['']      # a column without a name\n";
  }
  if (s.csv.drop_empty_trailing_columns) text += "  drop_empty_trailing_columns: true\n";
  return text;
}

// `type: number, accept_text: true` ...
std::string settings(const data::Field& field) {
  std::string text = "type: " + std::string(data::to_string(field.type));
  if (field.accept_text) text += ", accept_text: true";
  if (field.blank == data::Policy::kMissing) text += ", blank: missing";
  if (field.null == data::Policy::kMissing) text += ", 'null': missing";
  if (field.label) text += ", label: true";
  if (!field.required) text += ", required: false";
  return text;
}

std::string schema(const Starter& s) {
  std::string text = "\nschema:\n";
  for (const StarterField& one : s.fields) {
    const data::Field& field = one.field;
    std::string line = "  " + yaml_text(field.name) + ": {" + settings(field);
    if (!field.values.empty()) line += ", values: " + yaml_list(field.values);
    line += "}";
    if (line.size() > 100) {
      line = "  " + yaml_text(field.name) + ":\n";
      const std::string all = settings(field);
      for (std::size_t at = 0; at < all.size();) {
        const std::size_t end = std::min(all.find(", ", at), all.size());
        line += "    " + all.substr(at, end - at) + "\n";
        at = end + 2;
      }
      line += yaml_list_entry(4, "", "values", field.values);
      if (!one.remark.empty()) line = "  # " + one.remark + "\n" + line;
      text += line;
      continue;
    }
    if (!one.remark.empty()) {
      line.append(line.size() < kRemarkColumn ? kRemarkColumn - line.size() : 2, ' ');
      line += "# " + one.remark;
    }
    text += line + "\n";
  }
  return text;
}

std::vector<std::string> names_of(const Starter& s, Role role) {
  std::vector<std::string> names;
  for (const StarterField& one : s.fields) {
    if (one.role == role) names.push_back(one.field.name);
  }
  return names;
}

std::string features(const Starter& s) {
  std::string text = "\nfeatures:\n";
  const std::vector<std::string> numeric = names_of(s, Role::kNumeric);
  const std::vector<std::string> imputed = names_of(s, Role::kImputed);
  const std::vector<std::string> one_hot = names_of(s, Role::kOneHot);
  if (!numeric.empty()) text += yaml_list_entry(2, "- ", "numeric", numeric);
  if (!imputed.empty()) {
    text += yaml_list_entry(2, "- ", "impute", imputed) + "    with: median\n";
  }
  if (!one_hot.empty()) {
    text += yaml_list_entry(2, "- ", "one_hot", one_hot) + "    unknown: ignore\n";
  }
  return text;
}

std::string model() {
  return "\nmodel:\n"
         "  algorithm: gradient_boosting\n"
         "  objective: binary\n"
         "  trees: 200\n"
         "  depth: 4\n"
         "  learning_rate: 0.05\n"
         "  subsample: 0.8\n"
         "  column_sample: 0.8\n"
         "  threshold: 0.5      # from this probability on the positive label is predicted\n";
}

std::string report(const Starter& s) {
  std::vector<std::string> segments;
  std::vector<std::string> risk;
  for (const StarterField& one : s.fields) {
    const bool levels = one.role == Role::kOneHot && one.field.values.size() > 2 &&
                        one.field.values.size() <= kSegmentLevelsMax;
    if (levels && segments.size() < kSegmentsMax) segments.push_back(one.field.name);
    const bool feature = one.role == Role::kOneHot || one.role == Role::kNumeric;
    if (feature && risk.size() < kRiskFieldsMax) risk.push_back(one.field.name);
  }
  std::string text = "\nreport:\n";
  if (!segments.empty()) text += yaml_list_entry(2, "", "segments", segments);
  if (!risk.empty()) text += yaml_list_entry(2, "", "risk_fields", risk);
  return text + "  top_risk: 10\n";
}

}  // namespace

std::string to_yaml(const Starter& starter) {
  return head(starter) + topics(starter) + dialect(starter) + schema(starter) + features(starter) +
         model() + report(starter);
}

}  // namespace millrace::ingest
