// How the columns of the training data hang together.
#pragma once

#include <vector>

#include "drift/reference.h"

namespace millrace::drift::internal {

// Columns that explain one column, at most.
inline constexpr std::size_t kPredictorsMax = 8;

// Fits every number column on the others: orthogonal matching pursuit (Pati, Rezaiifar,
// Krishnaprasad 1993) on the covariances of rows in which both columns have a value, with a small
// ridge. Columns of its group, categories, constants and those that are mostly missing explain
// nothing; a column that the others explain less than a fifth of gets no relation. `values`: one
// vector a column, all of one length, NaN = missing; the columns' profiles must be there.
void fit_relations(const std::vector<std::vector<double>>& values,
                   std::vector<ReferenceColumn>& columns);

}  // namespace millrace::drift::internal
