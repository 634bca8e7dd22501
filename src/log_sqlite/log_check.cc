#include <algorithm>
#include <map>
#include <utility>

#include "log_sqlite/internal/batch_format.h"
#include "log_sqlite/internal/catalog.h"
#include "log_sqlite/internal/group.h"
#include "log_sqlite/internal/log_file.h"
#include "log_sqlite/internal/producer.h"
#include "log_sqlite/sqlite_log.h"

namespace millrace::log_sqlite {
namespace {

using internal::Database;
using internal::PartitionRow;
using internal::Query;
using internal::Scope;

// Goes over one log; every method adds to the report and goes on where it can.
class Checker {
 public:
  Checker(Database& database, const std::function<void(std::uint64_t)>& progress)
      : database_(&database), progress_(progress) {}

  CheckReport run() {
    report_.format_version = internal::kFormatVersion;
    structure();
    catalog();
    for (const auto& [id, name] : partition_names_) batches(id, name);
    orphans();
    groups();
    producers();
    return std::move(report_);
  }

 private:
  using Name = log::TopicPartition;

  void add(Damage damage) {
    if (report_.damage.size() < CheckReport::kDamageMax)
      report_.damage.push_back(std::move(damage));
  }
  void add(const Error& error) { add(Damage{{}, {}, {}, error.message()}); }
  void add(const Name& source, std::optional<Offset> offset, std::string what) {
    add(Damage{source.topic, source.partition, offset, std::move(what)});
  }

  // The first column of all rows; what cannot be read is damage.
  std::vector<std::int64_t> integers(const char* sql) {
    std::vector<std::int64_t> values;
    auto row = database_->query(sql);
    if (!row) add(row.error());
    while (row) {
      const auto more = row->step();
      if (!more) add(more.error());
      if (!more || !*more) break;
      values.push_back(row->integer(0));
    }
    return values;
  }

  void structure();
  void catalog();
  void batches(std::int64_t partition, const Name& source);
  // Batches from `next` on, as many as one read transaction should last; false at the end.
  Result<bool> some_batches(std::int64_t partition, const Name& source, Offset& next);
  bool batch(const Name& source, std::int64_t partition, Offset base, Offset next,
             std::string_view data);
  void orphans();
  void groups();
  void producers();

  Database* database_;
  const std::function<void(std::uint64_t)>& progress_;
  CheckReport report_;
  std::map<std::int64_t, Name> partition_names_;
};

void Checker::structure() {
  auto row = database_->query("PRAGMA integrity_check(100)");
  if (!row) return add(row.error());
  while (true) {
    const auto more = row->step();
    if (!more) return add(more.error());
    if (!*more) return;
    if (row->text(0) != "ok") {
      add(Damage{{}, {}, {}, "structure of the file: " + std::string(row->text(0))});
    }
  }
}

void Checker::catalog() {
  std::map<std::int64_t, TopicName> names;
  {
    auto row = database_->query("SELECT id, name FROM topic ORDER BY name");
    if (!row) return add(row.error());
    while (true) {
      const auto more = row->step();
      if (!more) add(more.error());
      if (!more || !*more) break;
      names[row->integer(0)] = TopicName(std::string(row->text(1)));
    }
  }
  for (const auto& [id, name] : names) {
    ++report_.topics;
    const auto topic = internal::find_topic(*database_, name);
    const auto partitions = topic ? internal::partitions_of(*database_, *topic)
                                  : Result<std::vector<PartitionRow>>(topic.error());
    if (!partitions) add(Damage{name, {}, {}, partitions.error().message()});
  }
  for (const std::int64_t id : integers("SELECT id FROM partition ORDER BY topic_id, number")) {
    ++report_.partitions;
    const auto row = internal::partition_by_id(*database_, id);
    if (!row) {
      add(row.error());
    } else if (*row) {
      const auto name = names.find((*row)->topic_id);
      partition_names_[id] = {name == names.end() ? TopicName("(unknown)") : name->second,
                              (*row)->number};
      if (name == names.end()) add(partition_names_[id], {}, "its topic is missing");
    }
  }
}

void Checker::batches(std::int64_t partition, const Name& source) {
  Offset next(0);
  while (true) {
    const auto more = some_batches(partition, source, next);
    if (!more) add(source, next, more.error().message());
    if (!more || !*more) return;
  }
}

Result<bool> Checker::some_batches(std::int64_t partition, const Name& source, Offset& next) {
  constexpr int kAtOnce = 64;
  MILLRACE_ASSIGN(Scope scope, Scope::begin(*database_, Scope::Kind::kRead));
  MILLRACE_ASSIGN(const auto row, internal::partition_by_id(*database_, partition));
  if (!row) return false;
  MILLRACE_ASSIGN(Query query,
                  database_->query("SELECT base, next, data, time_max FROM batch WHERE "
                                   "partition_id = ?1 AND next > ?2 ORDER BY base",
                                   partition, std::max(next, row->begin)));
  for (int done = 0; done < kAtOnce; ++done) {
    MILLRACE_ASSIGN(const bool more, query.step());
    const Offset expected = std::max(next, row->begin);
    if (!more) {
      if (expected < row->end) {
        add(source, expected,
            "records up to offset " + std::to_string(row->end.value() - 1) + " are missing");
      }
      return false;
    }
    const Offset base(query.integer(0));
    const Offset after(query.integer(1));
    if (base > expected) {
      add(source, expected,
          "records up to offset " + std::to_string(base.value() - 1) + " are missing");
    }
    if (after <= base || after > row->end || (next > row->begin && base < next)) {
      add(source, base, "the row of its batch is bad");
    }
    ++report_.batches;
    report_.bytes += query.blob(2).size();
    if (batch(source, partition, base, after, query.blob(2))) {
      report_.records +=
          static_cast<std::uint64_t>(after.value() - std::max(base, expected).value());
    }
    if (after <= next) return false;  // no way forward
    next = after;
    if (progress_) progress_(report_.bytes);
  }
  return true;
}

bool Checker::batch(const Name& source, std::int64_t partition, Offset base, Offset next,
                    std::string_view data) {
  const auto header = internal::read_batch_header(data, internal::Verify::kAll);
  if (!header) {
    add(source, base,
        "the checksum of the batch up to offset " + std::to_string(next.value() - 1) + " is wrong");
    return false;
  }
  if (header->partition_row != partition || header->base != base || header->next() != next) {
    add(source, base, "its batch belongs somewhere else");
    return false;
  }
  internal::RecordCursor cursor(*header, data.substr(internal::kBatchHeaderBytes));
  std::size_t bytes = 0;
  std::size_t headers = 0;
  for (std::uint32_t i = 0; i < header->records; ++i) {
    if (cursor.skip(bytes, headers)) continue;
    add(source, cursor.next_offset(), "its bytes are no record");
    return false;
  }
  if (cursor.at() != data.data() + data.size() || headers != header->headers ||
      bytes != header->record_bytes) {
    add(source, base, "its batch does not add up");
    return false;
  }
  return true;
}

void Checker::orphans() {
  const auto rows = integers(
      "SELECT DISTINCT partition_id FROM batch INDEXED BY batch_place WHERE partition_id NOT IN "
      "(SELECT id FROM partition)");
  for (const std::int64_t partition : rows) {
    add(Damage{{},
               {},
               {},
               "batches of partition row " + std::to_string(partition) +
                   " belong to no topic (a deletion was cut short); they only take room"});
  }
}

void Checker::groups() {
  const auto known = internal::all_groups(*database_);
  if (!known) return add(known.error());
  for (const internal::GroupRow& group : *known) {
    ++report_.groups;
    const auto members = internal::members_of(*database_, group.id);
    if (!members) add(members.error());
    const auto ownership = internal::ownership_of(*database_, group.id);
    if (!ownership) add(ownership.error());
  }
  auto row = database_->query("SELECT group_id, partition_id FROM position");
  if (!row) return add(row.error());
  std::vector<std::pair<std::int64_t, std::int64_t>> keys;
  while (true) {
    const auto more = row->step();
    if (!more) add(more.error());
    if (!more || !*more) break;
    keys.emplace_back(row->integer(0), row->integer(1));
  }
  for (const auto& [group, partition] : keys) {
    ++report_.positions;
    const auto position = internal::find_position(*database_, group, partition);
    const auto source = partition_names_.find(partition);
    if (!position && source != partition_names_.end()) {
      add(source->second, {}, position.error().message());
    } else if (!position) {
      add(position.error());
    } else if (source == partition_names_.end()) {
      add(Damage{{}, {}, {}, "a committed position belongs to no partition"});
    }
  }
}

void Checker::producers() {
  const auto bad = internal::check_producers(*database_, report_.producers);
  if (!bad) return add(bad.error());
  for (const std::string& what : *bad) add(Damage{{}, {}, {}, what});
}

}  // namespace

Result<CheckReport> check_sqlite_log(const env::Path& file, env::Clock& clock,
                                     const std::function<void(std::uint64_t)>& progress) {
  MILLRACE_ASSIGN(auto log, internal::LogFile::open(
                                {.file = file, .create = SqliteLogOptions::Create::kNever}, clock));
  MILLRACE_ASSIGN(auto database, log->connect());
  return Checker(*database, progress).run();
}

}  // namespace millrace::log_sqlite
