// The columns that a pipeline gives to the records of its topics.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "codec/column_values.h"
#include "spec/pipeline.h"

namespace millrace::app {

struct SinkColumns {
  std::vector<codec::ColumnHead> typed;
  std::optional<std::string> event_time;  // field with the time of what happened
};

// Of the pipeline's input or predictions; nothing for other topics.
std::optional<SinkColumns> columns_of(const spec::Pipeline& pipeline, const TopicName& topic);

// Of the shipped pipeline that has the topic; without types where none has.
SinkColumns columns_of_shipped(const TopicName& topic);

}  // namespace millrace::app
