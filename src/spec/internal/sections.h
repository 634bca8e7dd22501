// The sections of a pipeline file, each read into its part of the Pipeline. Every function reports
// what is wrong to the reader's Reading and goes on; values are only to be trusted when the
// reading is ok in the end.
#pragma once

#include <span>
#include <string>

#include "config/reader.h"
#include "spec/pipeline.h"

namespace millrace::spec::internal {

// The whole file: all that follows, in order.
void read_pipeline(const config::Node& root, Pipeline& pipeline, config::Reading& reading);

// input, output, dead_letter, alerts. The schema must have been read: names of fields and the
// label's levels are defaults here.
void read_topics(config::MapReader& top, Pipeline& pipeline);

// schema (with input.unknown_fields, which `read_topics` knows as read).
void read_schema(config::MapReader& top, Pipeline& pipeline);

// target and series. Without a target there is no forecast.
void read_forecast(config::MapReader& top, Pipeline& pipeline);

// features of a pipeline with a forecast, into pipeline.series.
void read_series_features(config::MapReader& top, Pipeline& pipeline);

// features, checked against the schema operator by operator.
void read_features(config::MapReader& top, Pipeline& pipeline);

// group, delivery, commit, csv, model, split, sample_weight, report.
void read_settings(config::MapReader& top, Pipeline& pipeline);

// drift, where it is given.
void read_drift(config::MapReader& top, Pipeline& pipeline);

// The one operator of an item of `features`, by its key; "" with an error reported where it is none
// or several of `names`.
std::string operator_key(const config::Node& item, std::span<const std::string> names,
                         config::Reading& reading);

// An error's lines, each at the same place of the file.
void report_lines(config::Reading& reading, const config::Position& where, const std::string& text);

// "a category", "an integer".
std::string with_article(data::FieldType type);

// What no section can see alone: references between sections. Call it when every section was read.
void check_pipeline(const Pipeline& pipeline, config::Reading& reading);

}  // namespace millrace::spec::internal
