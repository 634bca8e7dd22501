#include "app/sink_columns.h"

#include <gtest/gtest.h>

#include <map>

#include "codec/forecast_writer.h"
#include "json/json.h"
#include "spec/pipeline.h"

namespace millrace::app {
namespace {

using codec::ColumnKind;

// So that files of a topic have the same types whatever the first messages say; a forecast that is
// still null is a number.
TEST(SinkColumns, EveryFieldOfAForecastHasItsType) {
  const auto loaded = spec::load_pipeline("air-quality");
  ASSERT_TRUE(loaded) << loaded.error().message();
  const spec::Pipeline& pipeline = loaded->pipeline;
  const auto columns = columns_of(pipeline, pipeline.output.topic.name);
  ASSERT_TRUE(columns);
  EXPECT_EQ(columns->event_time, "event_ts");
  std::map<std::string, ColumnKind> kinds;
  for (const auto& column : columns->typed) kinds[column.name] = column.kind;

  std::string message;
  codec::Forecast forecast;
  forecast.key = "sensor_1";
  codec::ForecastWriter(pipeline.output.key_field, "event_ts", "CO", 1, "1-00000000", 6)
      .write(forecast, message);
  const auto written = json::parse(message, "a forecast");
  ASSERT_TRUE(written);
  for (const auto& [name, value] : written->items()) {
    ASSERT_TRUE(kinds.contains(name)) << name;
    const ColumnKind kind = kinds[name];
    EXPECT_EQ(value.is_string(), kind == ColumnKind::kText || kind == ColumnKind::kCategory ||
                                     kind == ColumnKind::kTimestamp)
        << name;
  }
  EXPECT_EQ(kinds["forecast"], ColumnKind::kNumber);
  EXPECT_EQ(kinds["forecast_ts"], ColumnKind::kTimestamp);
  EXPECT_EQ(kinds["horizon"], ColumnKind::kInteger);
}

}  // namespace
}  // namespace millrace::app
