// CPU time of features::Transform::apply for one telco record: 19 fields to 30 columns (one_hot
// drops the first level) and to 40 (only of two). One line of JSON a figure.
#include <algorithm>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "base/check.h"
#include "env/clock.h"
#include "env/random.h"
#include "features/transform.h"

namespace millrace::features {
namespace {

constexpr std::size_t kRows = 4'096;
constexpr std::size_t kRounds = 201;

// Levels of the telco fields in their order; 0 a number, -1 a text.
constexpr int kTelco[] = {-1, 2, 0, 2, 2, 0, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 4, 0, 0, 2, -1};
constexpr std::size_t kLabel = 20;

struct Telco {
  data::Schema schema;
  std::vector<std::string> numbers;
  std::vector<std::string> categories;
};

Telco telco() {
  Telco out;
  std::vector<data::Field> fields;
  for (const int levels : kTelco) {
    data::Field field;
    field.name = "field" + std::to_string(fields.size());
    field.label = fields.size() == kLabel;
    if (levels == 0) {
      field.type = data::FieldType::kNumber;
      out.numbers.push_back(field.name);
    }
    for (int level = 0; level < levels; ++level) {
      field.type = data::FieldType::kCategory;
      field.values.push_back("level" + std::to_string(level));
    }
    if (levels > 0 && !field.label) out.categories.push_back(field.name);
    fields.push_back(std::move(field));
  }
  auto schema = data::Schema::make(std::move(fields));
  CHECK(schema.has_value());
  out.schema = std::move(*schema);
  return out;
}

CellTable random_table(const data::Schema& schema) {
  env::Random random(1);
  CellTable table(schema.size());
  std::vector<data::Cell> row(schema.size());
  for (std::size_t i = 0; i < kRows; ++i) {
    for (std::size_t f = 0; f < row.size(); ++f) {
      const auto levels = static_cast<std::uint64_t>(std::max(kTelco[f], 1));
      row[f] = kTelco[f] > 0 ? data::Cell::of_category(static_cast<int>(random.below(levels)), "")
               : random.below(100) == 0 ? data::Cell::missing()
                                        : data::Cell::of_number(random.normal());
    }
    table.add_row(row);
  }
  return table;
}

void measure(const Telco& telco, const CellTable& table, Drop drop) {
  std::vector<std::size_t> rows(table.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const auto transform = Transform::fit(
      {Impute{telco.numbers}, Standardize{telco.numbers}, OneHot{telco.categories, drop}},
      telco.schema, table, rows);
  CHECK(transform.has_value());
  std::vector<double> out(transform->columns() * kRows);
  data::RecordErrors errors;
  std::vector<double> ns;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const auto before = env::thread_cpu_time();
    for (std::size_t i = 0; i < kRows; ++i) {
      const std::span to(out.data() + i * transform->columns(), transform->columns());
      CHECK(transform->apply(table.row(i), to, errors));
    }
    const auto spent = env::thread_cpu_time() - before;
    ns.push_back(static_cast<double>(spent.count()) / static_cast<double>(kRows));
  }
  std::sort(ns.begin(), ns.end());
  std::printf(
      "{\"bench\":\"features\",\"figure\":\"apply_to_%zu_columns\",\"unit\":\"ns\","
      "\"median\":%.1f,\"min\":%.1f,\"max\":%.1f}\n",
      transform->columns(), ns[ns.size() / 2], ns.front(), ns.back());
}

}  // namespace
}  // namespace millrace::features

int main() {
  const auto telco = millrace::features::telco();
  const auto table = millrace::features::random_table(telco.schema);
  millrace::features::measure(telco, table, millrace::features::Drop::kFirst);
  millrace::features::measure(telco, table, millrace::features::Drop::kIfBinary);
  return 0;
}
