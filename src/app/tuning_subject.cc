#include "app/tuning_subject.h"

#include <algorithm>
#include <utility>

#include "app/bad_lines.h"
#include "app/forecast_models.h"
#include "app/training.h"
#include "eval/splits.h"
#include "features/series_transform.h"

namespace millrace::app {
namespace {

class ForecastSubject final : public TuningSubject {
 public:
  ForecastSubject(Session& session, engine::SeriesTable table, std::size_t folds)
      : session_(session), table_(std::move(table)), rows_(rows_of(table_)), folds_(folds) {}

  Status check(const spec::Pipeline& pipeline, const std::string& data) {
    train::ForecastOptions base = options_of(pipeline, table_);
    base.folds = std::max(base.folds, folds_);  // the best one's intervals, or a trial's
    MILLRACE_TRY(check_enough_readings(data, pipeline, table_, base));
    MILLRACE_ASSIGN(split_, train::split_by_time(rows_, base.of, base.test_share));
    name_ = pipeline.forecast->target + "_h" + std::to_string(pipeline.forecast->horizon);
    return {};
  }

  std::string_view figure() const override { return "cv_mae"; }
  std::string name() const override { return name_; }
  std::uint64_t bad_rows() const override { return table_.bad_rows; }

  Result<std::vector<double>> folds_of(const spec::Pipeline& pipeline,
                                       const std::function<void(double)>& shown) override {
    train::ForecastOptions fit = options_of(pipeline, table_);
    if (pipeline.model.algorithm == model::Algorithm::kArima) {
      const auto stop = [this] { return session_.stop().requested(); };
      return train::cross_validate_arima(series_of(pipeline, table_, rows_),
                                         pipeline.forecast->arima, split_.train, folds_, fit.gap,
                                         stop);
    }
    fit.folds = folds_;
    fit.progress = [&](std::uint64_t done, std::uint64_t all) {
      shown(static_cast<double>(done) / static_cast<double>(all));
      return !session_.stop().requested();
    };
    return train::cross_validate(rows_, split_.train, fit);
  }

  Result<json::Value> held_out(const spec::Pipeline& pipeline) override {
    train::ForecastOptions fit = options_of(pipeline, table_);
    fit.progress = [this](std::uint64_t, std::uint64_t) { return !session_.stop().requested(); };
    MILLRACE_ASSIGN(const Measured measured,
                    measure_models(session_, pipeline, table_, {served_model(pipeline)}, fit));
    const json::Value& figures = measured.main().metrics;
    return json::Value{{"target", pipeline.forecast->target},
                       {"horizon", pipeline.forecast->horizon},
                       {"holdout_mae", figures["mae"]},
                       {"holdout_rmse", figures["rmse"]},
                       {"baseline_mae", figures["persistence_mae"]},
                       {"baseline_rmse", figures["persistence_rmse"]},
                       {"n_train", measured.split.train.size()},
                       {"n_holdout", measured.split.test.size()},
                       {"holdout", figures}};
  }

 private:
  Session& session_;
  engine::SeriesTable table_;
  train::ForecastRows rows_;  // of table_
  eval::Split split_;
  std::size_t folds_;
  std::string name_;
};

class LabelSubject final : public TuningSubject {
 public:
  LabelSubject(Session& session, engine::LabelledTable table)
      : session_(session), table_(std::move(table)) {}

  Status divide(const spec::Pipeline& pipeline, std::size_t folds) {
    MILLRACE_ASSIGN(split_, split_of(pipeline, table_));
    MILLRACE_ASSIGN(folds_, folds_over(pipeline, folds));
    for (eval::Split& fold : folds_) {
      for (std::size_t& row : fold.train) row = split_.train[row];
      for (std::size_t& row : fold.test) row = split_.train[row];
    }
    name_ = pipeline.schema.field(*pipeline.schema.label()).name;
    return {};
  }

  std::string_view figure() const override { return "cv_log_loss"; }
  std::string name() const override { return name_; }
  std::uint64_t bad_rows() const override { return table_.bad_rows; }

  Result<std::vector<double>> folds_of(const spec::Pipeline& pipeline,
                                       const std::function<void(double)>& shown) override {
    std::vector<double> out;
    for (const eval::Split& fold : folds_) {
      const double before = static_cast<double>(out.size());
      const auto on_progress = [&](std::string_view, std::uint32_t done, std::uint32_t all) {
        shown((before + static_cast<double>(done) / std::max(all, 1U)) /
              static_cast<double>(folds_.size()));
        return !session_.stop().requested();
      };
      MILLRACE_ASSIGN(const train::HoldoutResult result,
                      train::train_holdout(training_input(pipeline, table_, fold, on_progress)));
      const json::Value& loss = result.metrics_holdout["log_loss"];
      if (!loss.is_number())
        return Error(ErrorCode::kBadData, "a fold's rows are too few for a log loss");
      out.push_back(loss.get<double>());
    }
    return out;
  }

  Result<json::Value> held_out(const spec::Pipeline& pipeline) override {
    const auto on_progress = [this](std::string_view, std::uint32_t, std::uint32_t) {
      return !session_.stop().requested();
    };
    MILLRACE_ASSIGN(const train::HoldoutResult result,
                    train::train_holdout(training_input(pipeline, table_, split_, on_progress)));
    return json::Value{{"label", name_},
                       {"holdout_log_loss", result.metrics_holdout["log_loss"]},
                       {"holdout_auc", result.metrics_holdout["auc"]},
                       {"n_train", split_.train.size()},
                       {"n_holdout", split_.test.size()},
                       {"holdout", result.metrics_holdout}};
  }

 private:
  // Of the rows that trials see, by their place among them.
  Result<std::vector<eval::Split>> folds_over(const spec::Pipeline& pipeline,
                                              std::size_t folds) const {
    if (pipeline.split.kind == spec::SplitSpec::Kind::kChronological)
      return eval::rolling_origin(split_.train.size(), folds);
    if (pipeline.split.kind == spec::SplitSpec::Kind::kHash) {
      std::vector<std::string> keys;
      for (const std::size_t row : split_.train) keys.push_back(table_.keys[row]);
      return eval::hash_folds(keys, folds, pipeline.split.seed);
    }
    std::vector<int> labels;
    for (const std::size_t row : split_.train) labels.push_back(table_.labels[row]);
    return eval::stratified_folds(labels, folds, pipeline.split.seed);
  }

  Session& session_;
  engine::LabelledTable table_;
  eval::Split split_;
  std::vector<eval::Split> folds_;  // of the table's rows
  std::string name_;
};

}  // namespace

Result<std::unique_ptr<TuningSubject>> forecast_subject(Session& session,
                                                        const spec::Pipeline& pipeline,
                                                        const std::string& data,
                                                        std::size_t folds) {
  MILLRACE_ASSIGN(const auto transform,
                  features::SeriesTransform::make(pipeline.series.plan, pipeline.schema));
  MILLRACE_ASSIGN(engine::SeriesTable table,
                  engine::read_series_table(pipeline, transform, data, session.stop()));
  say_bad_lines(session, table.bad, table.bad_rows);
  auto subject = std::make_unique<ForecastSubject>(session, std::move(table), folds);
  MILLRACE_TRY(subject->check(pipeline, data));
  return std::unique_ptr<TuningSubject>(std::move(subject));
}

Result<std::unique_ptr<TuningSubject>> label_subject(Session& session,
                                                     const spec::Pipeline& pipeline,
                                                     const std::string& data, std::size_t folds) {
  MILLRACE_ASSIGN(
      engine::LabelledTable table,
      engine::read_labelled_table(pipeline, data, engine::Labels::kRequired, session.stop()));
  say_bad_lines(session, table.bad, table.bad_rows);
  auto subject = std::make_unique<LabelSubject>(session, std::move(table));
  const Status divided = subject->divide(pipeline, folds);
  if (!divided) return divided.error().with_context("'" + data + "'");
  return std::unique_ptr<TuningSubject>(std::move(subject));
}

}  // namespace millrace::app
