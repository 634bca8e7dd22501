#include "app/record_json.h"

#include "base/text.h"
#include "json/json.h"

namespace millrace::app {

void put_bytes(json::Value& object, const std::string& name,
               const std::optional<std::string_view>& bytes) {
  if (!bytes) {
    object[name] = nullptr;
  } else if (is_utf8(*bytes)) {
    object[name] = std::string(*bytes);
  } else {
    object[name + "_base64"] = base64(*bytes);
  }
}

json::Value record_to_json(const log::TopicPartition& source, const log::Record& record) {
  json::Value object;
  object["topic"] = source.topic.value();
  object["partition"] = source.partition.value();
  object["offset"] = record.offset.value();
  put_bytes(object, "key", record.key);
  object["timestamp"] = record.timestamp.value();
  json::Value headers = json::Value::array();
  for (const log::Header& header : record.headers) {
    json::Value value;
    if (header.value)
      value = is_utf8(*header.value) ? std::string(*header.value) : base64(*header.value);
    headers.push_back(json::Value::array({std::string(header.name), value}));
  }
  object["headers"] = std::move(headers);
  put_bytes(object, "value", record.value);
  return object;
}

}  // namespace millrace::app
