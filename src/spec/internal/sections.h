// The sections of a pipeline file, each read into its part of the Pipeline. Every function reports
// what is wrong to the reader's Reading and goes on; values are only to be trusted when the
// reading is ok in the end.
#pragma once

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

// features, checked against the schema operator by operator.
void read_features(config::MapReader& top, Pipeline& pipeline);

// group, delivery, commit, csv, model, split, sample_weight, report.
void read_settings(config::MapReader& top, Pipeline& pipeline);

// "a category", "an integer".
std::string with_article(data::FieldType type);

// What no section can see alone: references between sections. Call it when every section was read.
void check_pipeline(const Pipeline& pipeline, config::Reading& reading);

}  // namespace millrace::spec::internal
