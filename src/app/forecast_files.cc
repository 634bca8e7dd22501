#include "app/forecast_files.h"

#include <algorithm>
#include <utility>

#include "env/file.h"

namespace millrace::app {
namespace {

constexpr std::uint64_t kModelBytesMax = std::uint64_t{1} << 30;

// The replaced system's words for a column's statistics.
json::Value statistics_json(const model::Manifest& manifest) {
  json::Value out = json::Value::object();
  for (const auto& [column, entry] : manifest.feature_statistics.items()) {
    json::Value row = json::Value::object();
    for (const char* key : {"mean", "std", "min", "max"})
      row[key] = entry.contains(key) ? entry[key] : json::Value();
    row["non_null_count"] = entry["count"];
    row["dtype"] = "float64";
    out[column] = std::move(row);
  }
  return out;
}

class Writer {
 public:
  Writer(Session& session, const env::Path& folder, const ForecastFiles& files)
      : session_(session), folder_(folder), files_(files) {}

  Result<std::vector<std::string>> run() {
    MILLRACE_TRY(env::make_folders(folder_));
    if (has_trees()) MILLRACE_TRY(write_trees());
    const auto& models = files_.models;
    if (std::find(models.begin(), models.end(), ForecastModel::kArima) != models.end())
      MILLRACE_TRY(write_arima());
    MILLRACE_TRY(write_manifest());
    return std::move(written_);
  }

 private:
  Status write_trees() {
    const env::Path from = session_.models_folder() / files_.manifest->pipeline /
                           files_.manifest->version / "model.json";
    MILLRACE_ASSIGN(const std::string model, env::read_file(from, kModelBytesMax));
    const std::string name = "xgboost_" + target() + "_tplus" +
                             std::to_string(files_.pipeline.forecast->horizon) + ".json";
    file_of_["xgboost"] = name;
    return write(name, model);
  }

  Status write_arima() {
    MILLRACE_ASSIGN(const json::Value document,
                    arima_document(session_, files_.pipeline, files_.table));
    const std::string name = "arima_" + target() + ".json";
    file_of_["arima"] = name;
    return write(name, json::to_pretty(document));
  }

  // Those that learn nothing have no file.
  Status write_manifest() {
    json::Value models = json::Value::object();
    for (const ForecastModel model : files_.models) {
      const std::string name(name_of(model));
      models[name] = file_of_.contains(name) ? file_of_[name] : json::Value();
    }
    json::Value out = {{"models", std::move(models)},
                       {"target", target()},
                       {"horizon", files_.pipeline.forecast->horizon}};
    if (has_trees()) {
      out["feature_columns"] = files_.manifest->features;
      out["feature_stats"] = statistics_json(*files_.manifest);
    } else {
      out["feature_columns"] = json::Value::array({target()});
      out["feature_stats"] = json::Value::object();
    }
    if (files_.manifest != nullptr) out["model_version"] = files_.manifest->version;
    out["rows"] = files_.table.rows();
    out["metrics"] = models_json(files_.measured);
    return write("train_manifest.json", json::to_pretty(out));
  }

  Status write(const std::string& name, const std::string& content) {
    written_.push_back((folder_ / name).string());
    return env::write_file_atomic(folder_ / name, content);
  }

  bool has_trees() const {
    return files_.manifest != nullptr && files_.manifest->algorithm == "gradient_boosting";
  }
  const std::string& target() const { return files_.pipeline.forecast->target; }

  Session& session_;
  const env::Path& folder_;
  const ForecastFiles& files_;
  json::Value file_of_ = json::Value::object();
  std::vector<std::string> written_;
};

}  // namespace

Result<std::vector<std::string>> write_forecast_files(Session& session, const env::Path& folder,
                                                      const ForecastFiles& files) {
  return Writer(session, folder, files).run();
}

}  // namespace millrace::app
