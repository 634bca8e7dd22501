#include "features/internal/plan.h"

#include <cmath>
#include <set>
#include <unordered_map>

#include "base/text.h"

namespace millrace::features::internal {
namespace {

// Collects entries while going over the operators, and what is wrong with them.
class Planner {
 public:
  explicit Planner(const data::Schema& schema) : schema_(schema) {}

  void add(const Operator& op) {
    const std::string name = operator_name(op);
    if (fields_of(op).empty()) problems_.push_back(name + " names no field");
    std::set<std::string_view> seen;
    for (const std::string& field : fields_of(op)) {
      if (!seen.insert(field).second) {
        problems_.push_back(name + " names field '" + field + "' twice");
      } else {
        add_field(op, name, field);
      }
    }
  }

  Result<Plan> finish() {
    if (problems_.empty()) lay_out_columns();
    if (problems_.empty() && plan_.names.empty()) {
      problems_.push_back("the features make no column; name at least one field");
    }
    if (problems_.empty()) return std::move(plan_);
    std::string all;
    for (const std::string& problem : problems_) all += (all.empty() ? "" : "\n") + problem;
    return Error(ErrorCode::kConfig, all);
  }

 private:
  void problem(const std::string& op, const std::string& field, const std::string& what) {
    problems_.push_back(op + ": field '" + field + "' " + what);
  }

  void add_field(const Operator& op, const std::string& name, const std::string& field) {
    const auto index = schema_.find(field);
    if (!index) {
      problem(name, field, "is not in the schema" + did_you_mean(field, schema_.names()));
      return;
    }
    const data::Field& declared = schema_.field(*index);
    if (declared.label) {
      problem(name, field, "is the label, which cannot be a feature");
      return;
    }
    const bool wants_number =
        !std::holds_alternative<OneHot>(op) && !std::holds_alternative<Ordinal>(op);
    if (const std::string misfit = misfit_of(declared, wants_number); !misfit.empty()) {
      problem(name, field, misfit);
      return;
    }
    const auto found = entry_of_.find(*index);
    if (found == entry_of_.end()) {
      entry_of_.emplace(*index, plan_.entries.size());
      last_operator_.push_back(name);
      plan_.entries.push_back(first_entry(op, name, field, *index));
    } else {
      extend(op, name, field, found->second);
    }
  }

  // Why a field's type does not suit the operator; "" when it does.
  static std::string misfit_of(const data::Field& field, bool wants_number) {
    const std::string is = "is of type " + std::string(to_string(field.type));
    const bool category = field.type == data::FieldType::kCategory;
    if (!data::is_numeric(field.type) && !category) {
      return is + ", which makes no feature; only numbers, booleans and categories do";
    }
    if (wants_number && category) return is + "; use one_hot or ordinal for it";
    if (!wants_number && !category) {
      return is + "; use numeric for it, or declare it as a category with its values";
    }
    return {};
  }

  PlanEntry first_entry(const Operator& op, const std::string& name, const std::string& field,
                        std::size_t index) {
    PlanEntry entry;
    entry.field = index;
    if (const auto* one_hot = std::get_if<OneHot>(&op)) {
      const std::size_t levels = schema_.field(index).values.size();
      const bool drop =
          one_hot->drop == Drop::kFirst || (one_hot->drop == Drop::kIfBinary && levels == 2);
      entry.kind = PlanKind::kOneHot;
      entry.dropped = drop ? 1 : 0;
      entry.columns = levels - entry.dropped;
      entry.unknown = one_hot->unknown;
    } else if (const auto* ordinal = std::get_if<Ordinal>(&op)) {
      entry.kind = PlanKind::kOrdinal;
      entry.unknown = ordinal->unknown;
    } else if (const auto* impute = std::get_if<Impute>(&op)) {
      entry.impute = Impute{{}, impute->with, impute->constant};
      if (impute->with == ImputeWith::kConstant && !std::isfinite(impute->constant)) {
        problem(name, field, "cannot be filled with a constant that is not finite");
      }
    } else {
      entry.standardize = std::holds_alternative<Standardize>(op);
    }
    return entry;
  }

  // The one legal second mention is standardize after impute.
  void extend(const Operator& op, const std::string& name, const std::string& field,
              std::size_t at) {
    PlanEntry& entry = plan_.entries[at];
    std::string& last = last_operator_[at];
    if (std::holds_alternative<Standardize>(op) && last == "impute") {
      entry.standardize = true;
      last = name;
    } else if (std::holds_alternative<Impute>(op) && last == "standardize") {
      problem(name, field, "is standardized before it is imputed; put impute first");
    } else {
      problem(name, field, "is a feature already, by " + last);
    }
  }

  void lay_out_columns() {
    for (PlanEntry& entry : plan_.entries) {
      const data::Field& field = schema_.field(entry.field);
      entry.column = plan_.names.size();
      if (entry.kind != PlanKind::kOneHot) {
        plan_.names.push_back(field.name);
        continue;
      }
      for (std::size_t level = entry.dropped; level < field.values.size(); ++level) {
        plan_.names.push_back(field.name + "=" + field.values[level]);
      }
    }
    std::set<std::string_view> unique;
    for (const std::string& name : plan_.names) {
      if (!unique.insert(name).second) problems_.push_back("two columns are named '" + name + "'");
    }
  }

  const data::Schema& schema_;
  Plan plan_;
  std::unordered_map<std::size_t, std::size_t> entry_of_;  // schema field -> entry
  std::vector<std::string> last_operator_;                 // beside plan_.entries
  std::vector<std::string> problems_;
};

}  // namespace

Result<Plan> make_plan(const std::vector<Operator>& operators, const data::Schema& schema) {
  Planner planner(schema);
  for (const Operator& op : operators) planner.add(op);
  return planner.finish();
}

std::string operator_name(const Operator& op) {
  struct Name {
    std::string operator()(const Numeric&) const { return "numeric"; }
    std::string operator()(const Impute&) const { return "impute"; }
    std::string operator()(const Standardize&) const { return "standardize"; }
    std::string operator()(const OneHot&) const { return "one_hot"; }
    std::string operator()(const Ordinal&) const { return "ordinal"; }
  };
  return std::visit(Name{}, op);
}

const std::vector<std::string>& fields_of(const Operator& op) {
  return std::visit([](const auto& it) -> const std::vector<std::string>& { return it.fields; },
                    op);
}

}  // namespace millrace::features::internal
