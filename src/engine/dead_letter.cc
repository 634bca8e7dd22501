#include "engine/dead_letter.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "env/clock.h"
#include "env/digest.h"
#include "json/json.h"
#include "log/append_rules.h"

namespace millrace::engine {
namespace {

// Attempts before this one, as a replay wrote them into the record's headers.
std::uint32_t earlier_attempts(const log::Record& record) {
  for (const log::Header& header : record.headers) {
    if (header.name != kReplayAttemptHeader || !header.value) continue;
    std::uint32_t n = 0;
    std::from_chars(header.value->data(), header.value->data() + header.value->size(), n);
    return n;
  }
  return 0;
}

bool is_ours(std::string_view name) {
  return name.starts_with(kErrorHeaderPrefix) || name == kReplaySourceHeader ||
         name == kReplayAttemptHeader;
}

std::int64_t number(std::string_view text, std::int64_t otherwise) {
  std::int64_t n = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::size_t header_bytes(const std::vector<log::Header>& headers) {
  std::size_t bytes = 0;
  for (const log::Header& header : headers)
    bytes += header.name.size() + (header.value ? header.value->size() : 0);
  return bytes;
}

void read_envelope(DeadLetter& letter, const log::Record& record) {
  if (!record.value) return;
  const auto parsed = json::parse(*record.value, "dead letter");
  if (!parsed || !parsed->is_object() || !parsed->contains("error_type") ||
      !parsed->contains("source_topic"))
    return;
  const json::Value& object = *parsed;
  const auto text = [&object](const char* key) {
    return json::get<std::string>(object, key).value_or("");
  };
  letter.type = text("error_type");
  letter.code = text("error_code");
  letter.message = text("error_message");
  letter.source_topic = text("source_topic");
  letter.failed_at = text("failed_ts");
  letter.group = text("consumer_group");
  letter.stage = text("stage");
  letter.details = json::get<std::vector<std::string>>(object, "validation_errors")
                       .value_or(std::vector<std::string>());
  letter.attempt = json::get<std::uint32_t>(object, "retry_count").value_or(0) + 1;
  letter.source_partition = json::get<std::int64_t>(object, "source_partition").value_or(-1);
  letter.source_offset = json::get<std::int64_t>(object, "source_offset").value_or(-1);
  if (object.contains("original_key")) letter.key.reset();
  const auto raw = object.find("original_bytes_base64");
  const auto original = object.find("original_message");
  if (raw != object.end() && raw->is_string()) {
    letter.value = from_base64(raw->get_ref<const std::string&>());
  } else if (object.contains("original_text")) {
    letter.value = text("original_text");
  } else if (original != object.end() && !original->empty()) {
    letter.value = json::to_line(*original);  // by the system that is replaced
  } else {
    letter.value.reset();  // a tombstone
  }
}

void read_header(DeadLetter& letter, std::string_view name,
                 const std::optional<std::string_view>& value) {
  const std::string text(value.value_or(""));
  if (name == "type") letter.type = text;
  if (name == "code") letter.code = text;
  if (name == "message") letter.message = text;
  if (name == "topic") letter.source_topic = text;
  if (name == "partition") letter.source_partition = number(text, -1);
  if (name == "offset") letter.source_offset = number(text, -1);
  if (name == "timestamp") letter.failed_at = text;
  if (name == "group") letter.group = text;
  if (name == "stage") letter.stage = text;
  if (name == "attempt") letter.attempt = static_cast<std::uint32_t>(number(text, 1));
  if (name == "truncated") letter.truncated = text == "true";
  if (name != "details") return;
  const auto parsed = json::parse(text, "details");
  if (parsed && parsed->is_array()) {
    for (const json::Value& entry : *parsed) {
      if (entry.is_string()) letter.details.push_back(entry.get<std::string>());
    }
  }
}

}  // namespace

void DeadLetterWriter::add(std::string_view name, std::string value) {
  names_.emplace_back(std::string(kErrorHeaderPrefix) + std::string(name));
  values_.push_back(std::move(value));
}

log::NewRecord DeadLetterWriter::compose(const log::TopicPartition& source,
                                         const log::Record& record,
                                         const data::RecordErrors& errors, std::string_view stage,
                                         Timestamp failed_at) {
  names_.clear();
  values_.clear();
  const data::RecordError unknown;
  const data::RecordError& first = errors.empty() ? unknown : errors.front();
  json::Value details = json::Value::array();
  for (const data::RecordError& error : errors) details.push_back(error.message());
  add("type", std::string(data::to_string(data::type_of(first.code))));
  add("code", std::string(data::to_string(first.code)));
  add("message", first.message());
  add("details", json::to_line(details));
  add("topic", source.topic.value());
  add("partition", std::to_string(source.partition.value()));
  add("offset", std::to_string(record.offset.value()));
  add("timestamp", env::format_rfc3339(failed_at));
  add("group", group_.value());
  add("attempt", std::to_string(earlier_attempts(record) + 1));
  add("stage", std::string(stage));
  original_ = record;
  with_headers(record);
  if (format_ == spec::DeadLetterFormat::kEnvelope)
    compose_envelope(source, record, errors, failed_at);
  return record_;
}

// The record as it came, with its own headers and ours behind them.
void DeadLetterWriter::with_headers(const log::Record& record) {
  headers_.clear();
  for (const log::Header& header : record.headers) {
    if (!is_ours(header.name)) headers_.push_back(header);
  }
  for (std::size_t i = 0; i < names_.size(); ++i)
    headers_.push_back({names_[i], std::string_view(values_[i])});
  record_ = {record.key, record.value, headers_, record.timestamp, std::nullopt};
}

// The reference's JSON: original_message is the object where the bytes are one, else {}, with the
// bytes beside it.
void DeadLetterWriter::compose_envelope(const log::TopicPartition& source,
                                        const log::Record& record, const data::RecordErrors& errors,
                                        Timestamp failed_at) {
  const data::RecordError unknown;
  const data::RecordError& first = errors.empty() ? unknown : errors.front();
  json::Value envelope = json::Value::object();
  envelope["original_message"] = json::Value::object();
  if (record.value) {
    const auto parsed = json::parse(*record.value, "record");
    if (parsed && parsed->is_object()) envelope["original_message"] = *parsed;
    if (is_utf8(*record.value)) {
      envelope["original_text"] = std::string(*record.value);
    } else {
      envelope["original_bytes_base64"] = base64(*record.value);
    }
  }
  envelope["error_type"] = data::to_string(data::type_of(first.code));
  envelope["error_code"] = data::to_string(first.code);
  envelope["error_message"] = first.message();
  json::Value list = json::Value::array();
  for (const data::RecordError& error : errors) list.push_back(error.message());
  envelope["validation_errors"] = std::move(list);
  envelope["source_topic"] = source.topic.value();
  envelope["source_partition"] = source.partition.value();
  envelope["source_offset"] = record.offset.value();
  envelope["failed_ts"] = env::format_rfc3339(failed_at);
  envelope["consumer_group"] = group_.value();
  if (!record.key) envelope["original_key"] = nullptr;
  if (const std::uint32_t retries = earlier_attempts(record); retries > 0)
    envelope["retry_count"] = retries;
  envelope_ = json::to_line(envelope);
  headers_.clear();
  for (const log::Header& header : record.headers) {
    if (!is_ours(header.name)) headers_.push_back(header);
  }
  record_.key = record.key ? record.key : std::optional<std::string_view>("UNKNOWN");
  record_.value = envelope_;
  record_.headers = headers_;
}

log::NewRecord DeadLetterWriter::cut(std::size_t bytes_max) {
  if (format_ == spec::DeadLetterFormat::kEnvelope) {
    // An envelope holds the record twice: beside it, it may still fit whole.
    with_headers(original_);
    const bool fits = log::record_bytes(record_) <= bytes_max;
    if (fits && headers_.size() <= log::kRecordHeadersMax) return record_;
  }
  const std::string_view whole = record_.value.value_or("");
  add("truncated", "true");
  add("original_bytes", std::to_string(whole.size()));
  add("sha256", env::sha256_hex(whole));
  headers_.clear();
  for (std::size_t i = 0; i < names_.size(); ++i)
    headers_.push_back({names_[i], std::string_view(values_[i])});
  constexpr std::size_t kFraming =
      256;  // what a log may add to key, value and headers when it counts
  const std::size_t fixed = header_bytes(headers_) + kFraming;
  constexpr std::size_t kKeyKept = 1024;
  if (record_.key && record_.key->size() > kKeyKept) record_.key = record_.key->substr(0, kKeyKept);
  const std::size_t key = record_.key ? record_.key->size() : 0;
  record_.value = whole.substr(0, bytes_max > fixed + key ? bytes_max - fixed - key : 0);
  record_.headers = headers_;
  return record_;
}

DeadLetter read_dead_letter(const log::TopicPartition& at, const log::Record& record) {
  DeadLetter letter;
  letter.at = at;
  letter.offset = record.offset;
  letter.timestamp = record.timestamp;
  if (record.key) letter.key = std::string(*record.key);
  if (record.value) letter.value = std::string(*record.value);
  bool ours = false;
  for (const log::Header& header : record.headers) {
    if (header.name.starts_with(kErrorHeaderPrefix)) {
      ours = true;
      read_header(letter, header.name.substr(kErrorHeaderPrefix.size()), header.value);
    } else {
      letter.original_headers.emplace_back(
          std::string(header.name),
          header.value ? std::optional<std::string>(*header.value) : std::nullopt);
    }
  }
  if (!ours) read_envelope(letter, record);
  return letter;
}

}  // namespace millrace::engine
