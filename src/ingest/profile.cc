#include "ingest/profile.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

#include "base/human.h"
#include "base/text.h"
#include "codec/table_reader.h"
#include "ingest/internal/column_profile.h"
#include "ingest/internal/starter.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace millrace::ingest {
namespace {

constexpr std::uint64_t kProbeRows = 1000;
constexpr std::size_t kColumnsMax = 10'000;
constexpr std::size_t kNamesShownMax = 20;

// What the whole file showed.
struct FileProfile {
  codec::TableFormat format = codec::TableFormat::kCsv;
  codec::CsvDialect dialect;
  std::vector<ColumnProfile> columns;
  std::uint64_t rows = 0;
  std::uint64_t bad_rows = 0;
  std::int64_t first_bad_line = 0;
};

Error interrupted() { return Error(ErrorCode::kInterrupted, "Stopped while reading the file."); }

// ----------------------------------------------------------------------------------------------
// the dialect

struct Probe {
  codec::CsvDialect dialect;
  std::size_t columns = 0;
  std::uint64_t bad_rows = 0;

  // A separator is the better one when fewer rows break under it, then when it makes more columns.
  bool better_than(const Probe& other) const {
    if ((columns > 1) != (other.columns > 1)) return columns > 1;
    if (bad_rows != other.bad_rows) return bad_rows < other.bad_rows;
    return columns > other.columns;
  }
};

Result<Probe> probe(const std::string& path, const codec::CsvDialect& dialect,
                    const env::StopToken& stop) {
  const data::Schema any;
  MILLRACE_ASSIGN(auto reader,
                  codec::TableReader::open(path, codec::TableFormat::kCsv, dialect, any, &stop));
  Probe probe{dialect, reader.columns().size(), 0};
  codec::TableRow row;
  for (std::uint64_t n = 0; n < kProbeRows; ++n) {
    MILLRACE_ASSIGN(const bool more, reader.read(row));
    if (!more) break;
    if (!row.errors.empty()) ++probe.bad_rows;
  }
  return probe;
}

// Compares the candidates; done here once, and stated in the pipeline from then on.
Result<codec::CsvDialect> find_dialect(const std::string& path, const env::StopToken& stop) {
  std::optional<Probe> best;
  std::optional<Error> first_error;
  for (const char separator : {',', ';', '\t', '|'}) {
    for (const bool drop_trailing : {false, true}) {
      for (const bool ignore_unnamed : {false, true}) {
        codec::CsvDialect dialect;
        dialect.separator = separator;
        dialect.drop_empty_trailing_columns = drop_trailing;
        if (ignore_unnamed) dialect.ignore_columns = {""};
        auto tried = probe(path, dialect, stop);
        if (tried && (!best || tried->better_than(*best))) best = *tried;
        if (tried) continue;
        if (tried.error().code() != ErrorCode::kBadData) return tried.error();
        if (!first_error) first_error = tried.error();
      }
    }
  }
  if (!best) return *first_error;
  return best->dialect;
}

// ----------------------------------------------------------------------------------------------
// reading

class FileReader {
 public:
  explicit FileReader(const env::StopToken& stop) : stop_(stop) {}

  Result<FileProfile> read(const std::string& path) {
    profile_.format = codec::format_of_path(path);
    const bool cells = codec::has_columns(profile_.format);
    if (profile_.format == codec::TableFormat::kCsv) {
      MILLRACE_ASSIGN(profile_.dialect, find_dialect(path, stop_));
    }
    const data::Schema any;
    MILLRACE_ASSIGN(auto reader,
                    codec::TableReader::open(path, profile_.format, profile_.dialect, any, &stop_));
    for (const std::string& name : reader.columns()) profile_.columns.emplace_back(name);
    codec::TableRow row;
    while (true) {
      if (stop_.requested()) return interrupted();
      MILLRACE_ASSIGN(const bool more, reader.read(row));
      if (!more) break;
      const bool good = row.errors.empty() && (cells ? add_cells(row) : add_object(row));
      if (good) {
        ++profile_.rows;
      } else if (profile_.bad_rows++ == 0) {
        profile_.first_bad_line = row.line;
      }
    }
    if (profile_.rows == 0) return Error(ErrorCode::kBadData, path + ": no row can be read");
    if (profile_.format == codec::TableFormat::kCsv) find_decimal_comma();
    return std::move(profile_);
  }

 private:
  bool add_cells(const codec::TableRow& row) {
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      profile_.columns[i].add(row.cells[i], ValueForm::kCsvCell);
    }
    return true;
  }

  // Fields are columns in the order in which they first come.
  bool add_object(const codec::TableRow& row) {
    const auto object = json::parse(row.raw, "the row");
    if (!object || !object->is_object()) return false;
    for (const auto& [name, value] : object->items()) {
      if (value.is_structured()) continue;  // nothing is learnt from nested values
      ColumnProfile* const column = column_of(name);
      if (column == nullptr) continue;
      if (value.is_string()) {
        column->add(value.get_ref<const std::string&>(), ValueForm::kJsonText);
      } else if (value.is_boolean()) {
        column->add(value.get<bool>() ? "true" : "false", ValueForm::kJsonBoolean);
      } else if (value.is_number()) {
        column->add(json::to_line(value), ValueForm::kJsonNumber);
      } else {
        column->add_null();
      }
    }
    for (ColumnProfile& column : profile_.columns) {
      const std::uint64_t seen = column.values() + column.blanks() + column.nulls();
      if (seen < profile_.rows + 1) column.add_null();
    }
    return true;
  }

  ColumnProfile* column_of(const std::string& name) {
    for (ColumnProfile& column : profile_.columns) {
      if (column.name() == name) return &column;
    }
    if (profile_.columns.size() == kColumnsMax) return nullptr;
    ColumnProfile& column = profile_.columns.emplace_back(name);
    for (std::uint64_t n = 0; n < profile_.rows; ++n) column.add_null();
    return &column;
  }

  // Numbers are written with commas when some column has only such numbers, and none has points.
  void find_decimal_comma() {
    bool comma = false;
    for (const ColumnProfile& column : profile_.columns) {
      if (column.has_fraction('.')) return;
      comma = comma || (column.has_fraction(',') && !column.is_number('.'));
    }
    profile_.dialect.decimal_comma = comma && profile_.dialect.separator != ',';
  }

  const env::StopToken& stop_;
  FileProfile profile_;
};

// ----------------------------------------------------------------------------------------------
// deciding

// Names that the prediction message uses for itself.
constexpr std::array<std::string_view, 6> kOutputNames = {
    "prediction",   "probability",          "event_ts",
    "processed_ts", "inference_latency_ms", "model_version"};

bool looks_like_id(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return lower == "id" || lower == "key" || lower.ends_with("_id") || lower.ends_with("id") ||
         lower.ends_with("number") || lower.ends_with("_no") || lower.starts_with("id_");
}

class Decider {
 public:
  Decider(const FileProfile& file, const std::string& target)
      : file_(file), target_(target), point_(file.dialect.decimal_comma ? ',' : '.') {}

  Result<Starter> decide(const std::string& name, const std::string& path) {
    MILLRACE_TRY(check_target(path));
    starter_.name = name;
    starter_.file = std::filesystem::path(path).filename().string();
    starter_.rows = file_.rows;
    starter_.bad_rows = file_.bad_rows;
    starter_.first_bad_line = file_.first_bad_line;
    starter_.format = file_.format;
    starter_.csv = file_.dialect;
    choose_key();
    choose_event_time();
    for (const ColumnProfile& column : file_.columns) {
      starter_.fields.push_back(field_of(column));
    }
    if (starter_.stamped_event_time) add_stamped_field();
    const bool any_feature =
        std::any_of(starter_.fields.begin(), starter_.fields.end(), [](const StarterField& one) {
          return one.role == Role::kNumeric || one.role == Role::kImputed ||
                 one.role == Role::kOneHot;
        });
    if (!any_feature) {
      return Error(ErrorCode::kBadData, path + ": no column beside '" + printable(target_) +
                                            "' that a model could learn from");
    }
    return std::move(starter_);
  }

 private:
  const ColumnProfile* find(const std::string& name) const {
    for (const ColumnProfile& column : file_.columns) {
      if (column.name() == name) return &column;
    }
    return nullptr;
  }

  Error no_target(const std::string& path) const {
    std::vector<std::string> names;
    std::string listed;
    for (const ColumnProfile& column : file_.columns) {
      names.push_back(column.name());
      if (names.size() > kNamesShownMax) continue;
      listed += (listed.empty() ? "" : ", ") + printable(column.name(), 60);
    }
    if (names.size() > kNamesShownMax) listed += ", ...";
    return Error(ErrorCode::kUsage, path + " has no column '" + printable(target_) + "'" +
                                        did_you_mean(target_, names) +
                                        "\nIts columns are: " + listed);
  }

  // The label must have exactly two levels.
  Status check_target(const std::string& path) const {
    const ColumnProfile* const column = find(target_);
    if (column == nullptr) return no_target(path);
    const std::string what = path + ": the target '" + printable(target_) + "' ";
    const bool number = column->is_number(point_);
    const std::string several = column->too_many_levels()
                                    ? "more than " + std::to_string(kCategoryLevelsMax)
                                    : std::to_string(column->levels().size());
    if (column->is_empty()) return Error(ErrorCode::kBadData, what + "is empty in every row");
    if (column->is_constant()) {
      return Error(ErrorCode::kBadData, what + "has one level only, so nothing can be learnt");
    }
    if (number && (column->too_many_levels() || column->levels().size() > 2)) {
      return Error(ErrorCode::kNotBuilt,
                   what + "is a number with " + several +
                       " different values. Predicting a number (regression) is not built yet; "
                       "choose a target with two levels.");
    }
    if (column->too_many_levels() || column->levels().size() > 2) {
      return Error(ErrorCode::kNotBuilt,
                   what + "has " + several +
                       " levels. More than two (multiclass) are not built yet; choose a target "
                       "with two levels.");
    }
    if (file_.format == codec::TableFormat::kNdjson && (number || column->is_json_boolean()) &&
        !column->has_text_numbers()) {
      return Error(ErrorCode::kBadData,
                   what + "holds JSON numbers or booleans; a label's levels must be strings");
    }
    return {};
  }

  void choose_key() {
    for (const ColumnProfile& column : file_.columns) {
      const bool reserved =
          std::find(kOutputNames.begin(), kOutputNames.end(), column.name()) != kOutputNames.end();
      if (reserved || column.name() == target_ || !column.is_unique() || column.has_gaps()) {
        continue;
      }
      const bool text = !column.is_number(point_) && !column.is_timestamp();
      const bool id = column.is_integer() && (looks_like_id(column.name()) || column.counts_up());
      if (!text && !id) continue;
      starter_.key = column.name();
      return;
    }
  }

  void choose_event_time() {
    constexpr const char* kStamped = "event_ts";
    std::vector<std::string> times;
    for (const ColumnProfile& column : file_.columns) {
      if (column.is_timestamp() && column.name() != target_) times.push_back(column.name());
    }
    if (times.size() == 1) {
      starter_.event_time = times.front();
    } else if (const ColumnProfile* const column = find(kStamped)) {
      if (column->is_timestamp()) starter_.event_time = kStamped;
    } else {
      starter_.event_time = kStamped;
      starter_.stamped_event_time = true;
    }
  }

  void add_stamped_field() {
    StarterField stamped;
    stamped.field.name = starter_.event_time;
    stamped.field.type = data::FieldType::kTimestamp;
    stamped.field.required = false;
    stamped.role = Role::kEventTime;
    starter_.fields.push_back(std::move(stamped));
  }

  StarterField field_of(const ColumnProfile& column) {
    StarterField made;
    made.field.name = column.name();
    if (column.name() == target_) {
      fill_label(column, made);
    } else if (column.is_empty()) {
      made.field.required = false;
      made.remark = "no feature: empty in every row";
    } else if (column.is_timestamp()) {
      made.field.type = data::FieldType::kTimestamp;
      made.role = column.name() == starter_.event_time ? Role::kEventTime : Role::kNone;
      if (made.role == Role::kNone) made.remark = "no feature: a point in time";
    } else if (column.is_json_boolean()) {
      made.field.type = data::FieldType::kBoolean;
      made.role = Role::kNumeric;
    } else if (column.is_number(point_)) {
      fill_number(column, made);
    } else {
      fill_text(column, made);
    }
    if (column.name() == starter_.key) {
      made.role = Role::kKey;
      made.remark = "the key: different in every row";
    } else if (column.is_constant() && made.role != Role::kLabel) {
      made.role = Role::kNone;
      made.remark = "no feature: the same in every row";
    }
    if (made.role != Role::kLabel && column.has_gaps()) allow_gaps(column, made);
    return made;
  }

  void fill_label(const ColumnProfile& column, StarterField& made) {
    made.role = Role::kLabel;
    made.field.type = data::FieldType::kCategory;
    made.field.label = true;
    made.field.required = false;
    std::vector<std::pair<std::uint64_t, std::string>> levels;
    for (const auto& [level, count] : column.levels()) levels.emplace_back(count, level);
    std::stable_sort(levels.begin(), levels.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [count, level] : levels) made.field.values.push_back(level);
    starter_.positive = made.field.values.back();
    starter_.positive_share =
        static_cast<double>(levels.back().first) / static_cast<double>(column.values());
    if (column.has_gaps()) {
      made.remark = human_count(column.blanks() + column.nulls()) +
                    " rows without it are left out of training";
    }
  }

  void fill_number(const ColumnProfile& column, StarterField& made) const {
    made.field.type = column.is_integer() ? data::FieldType::kInteger : data::FieldType::kNumber;
    made.field.accept_text = column.has_text_numbers();
    made.role = column.has_gaps() ? Role::kImputed : Role::kNumeric;
  }

  static void fill_text(const ColumnProfile& column, StarterField& made) {
    const bool repeated = column.values() >= 2 * column.levels().size();
    if (column.too_many_levels() || !repeated || column.is_constant()) {
      made.field.type = data::FieldType::kString;
      made.remark =
          column.too_many_levels()
              ? "no feature: more than " + std::to_string(kCategoryLevelsMax) + " different texts"
              : "no feature: texts that hardly repeat";
      return;
    }
    made.field.type = data::FieldType::kCategory;
    for (const auto& [level, count] : column.levels()) made.field.values.push_back(level);
    made.role = Role::kOneHot;
  }

  void allow_gaps(const ColumnProfile& column, StarterField& made) const {
    made.field.null = data::Policy::kMissing;
    if (made.field.type != data::FieldType::kString) made.field.blank = data::Policy::kMissing;
    if (file_.format == codec::TableFormat::kNdjson) made.field.required = false;
    if (!made.remark.empty()) return;
    const std::uint64_t gaps = column.blanks() + column.nulls();
    made.remark = human_count(gaps) + (gaps == 1 ? " value is" : " values are") + " missing";
  }

  const FileProfile& file_;
  const std::string& target_;
  char point_;
  Starter starter_;
};

}  // namespace

Result<std::string> starter_pipeline(const std::string& name, const std::string& path,
                                     const std::string& target, const env::StopToken& stop) {
  if (path == "-") {
    return Error(ErrorCode::kUsage, "init reads its file more than once: it needs a file, not -.");
  }
  MILLRACE_ASSIGN(const FileProfile file, FileReader(stop).read(path));
  MILLRACE_ASSIGN(const Starter starter, Decider(file, target).decide(name, path));
  std::string yaml = to_yaml(starter);
  // What init writes must be a pipeline: a bad name, or an oddity of the file, shows here.
  if (const auto parsed = spec::parse_pipeline(yaml, name + "/pipeline.yaml"); !parsed) {
    return Error(ErrorCode::kUsage, "No pipeline can be made of this: " + parsed.error().message());
  }
  return yaml;
}

}  // namespace millrace::ingest
