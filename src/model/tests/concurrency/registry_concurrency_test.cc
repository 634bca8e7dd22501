#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "model/registry.h"
#include "model/testing/random_ensemble.h"

namespace millrace::model {
namespace {

TEST(RegistryConcurrency, SavesAtTheSameTimeAllArrive) {
  const auto home = env::TemporaryFolder::make("millrace-registry").value();
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kSaves = 5;
  std::vector<std::vector<std::string>> versions(kThreads);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      env::Random random(t);
      const Registry registry(home.path() / "models");
      for (std::size_t i = 0; i < kSaves; ++i) {
        const TreeEnsemble ensemble = random_ensemble(random, {.features = 1, .trees = 2});
        Manifest manifest;
        manifest.pipeline = "telco";
        manifest.features = {"x"};
        Canary canary;
        canary.rows = {{0.5}};
        canary.probabilities = {
            apply_link(ensemble.link, predict_margin_reference(ensemble, canary.rows[0]))};
        const auto saved = registry.save(manifest, ensemble, canary);
        if (saved) versions[t].push_back(saved->version);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Registry registry(home.path() / "models");
  std::set<std::string> numbers;
  for (const auto& of_thread : versions) {
    EXPECT_EQ(of_thread.size(), kSaves);
    for (const std::string& version : of_thread) {
      EXPECT_TRUE(registry.load("telco", version)) << version;
      numbers.insert(version.substr(0, version.find('-')));
    }
  }
  EXPECT_EQ(numbers.size(), kThreads * kSaves) << "every save has a number of its own";
}

}  // namespace
}  // namespace millrace::model
