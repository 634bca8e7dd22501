#include "config/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>

namespace millrace::config {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string error_of(std::string_view text) {
  const auto loaded = load_yaml(text, "p.yaml");
  if (loaded) return "loaded";
  EXPECT_EQ(loaded.error().code(), ErrorCode::kConfig);
  return loaded.error().message();
}

NodePtr tree_of(std::string_view text) {
  auto loaded = load_yaml(text, "p.yaml");
  EXPECT_TRUE(loaded) << loaded.error().message();
  return loaded ? *loaded : std::make_shared<const Node>();
}

std::string repeated(std::string_view piece, std::size_t bytes) {
  std::string out;
  while (out.size() + piece.size() <= bytes) out += piece;
  return out;
}

TEST(Yaml, KeepsPositionsOrderAndQuoting) {
  const NodePtr root = tree_of("b: 1\na:\n  - x\n  - 'y'\n");
  ASSERT_EQ(root->entries.size(), 2U);
  EXPECT_EQ(root->entries[0].key, "b");
  EXPECT_EQ(root->entries[1].key_where.to_string(), "p.yaml:2:1");
  const Node& list = *root->find("a")->value;
  ASSERT_EQ(list.items.size(), 2U);
  EXPECT_FALSE(list.items[0]->quoted);
  EXPECT_TRUE(list.items[1]->quoted);
  EXPECT_EQ(list.items[1]->where.to_string(), "p.yaml:4:5");
}

TEST(Yaml, GuessesNothingFromLooks) {
  const NodePtr root = tree_of("a: no\nb: 012\nc: 1e999\nd: 2024-01-01\ne: [No, Yes]\n");
  EXPECT_EQ(root->find("a")->value->text, "no");
  EXPECT_EQ(root->find("b")->value->text, "012");
  EXPECT_EQ(root->find("c")->value->text, "1e999");
  EXPECT_EQ(root->find("d")->value->text, "2024-01-01");
  EXPECT_EQ(root->find("e")->value->items[1]->text, "Yes");
}

TEST(Yaml, NullAsAKeyIsItsText) {
  const NodePtr root = tree_of("null: a\nb: {null: missing, Null: x}\nc: null\n");
  EXPECT_EQ(root->entries[0].key, "null");
  EXPECT_EQ(root->find("b")->value->find("null")->value->text, "missing");
  EXPECT_EQ(root->find("c")->value->kind, NodeKind::kNull);
}

TEST(Yaml, AnEmptyFileIsNothing) {
  EXPECT_EQ(tree_of("")->kind, NodeKind::kNull);
  EXPECT_EQ(tree_of("# only a word\n")->kind, NodeKind::kNull);
}

TEST(Yaml, AnchorsWorkWithinTheLimits) {
  const NodePtr root = tree_of("levels: &l [a, b]\nother: *l\n");
  EXPECT_EQ(root->find("other")->value->items.size(), 2U);
}

TEST(Yaml, DuplicateKeysNameBothPlaces) {
  EXPECT_EQ(error_of("a: 1\nb: 2\na: 3\n"),
            "p.yaml:3:1: the key 'a' is already given at p.yaml:1:1");
  EXPECT_EQ(error_of("x: {k: 1, k: 2}"), "p.yaml:1:11: the key 'k' is already given at p.yaml:1:5");
}

TEST(Yaml, TagsAreRefused) {
  EXPECT_THAT(error_of("a: !!python/object:os.system {}\n"),
              StartsWith("p.yaml:1:4: the tag 'tag:yaml.org,2002:python/object:os.system'"));
  EXPECT_THAT(error_of("a: !!python/object/apply:os.system ['id']\n"), HasSubstr("refused"));
  EXPECT_THAT(error_of("a: !!int '7'\n"), HasSubstr("refused"));
  EXPECT_THAT(error_of("a: !mine\n"), HasSubstr("refused"));
}

TEST(Yaml, TabsAsIndentationAreReported) {
  EXPECT_EQ(error_of("a:\n\tb: 1\n"), "p.yaml:2:1: a tab as indentation; use spaces");
  EXPECT_EQ(error_of("a:\n  \tb: 1\n"), "p.yaml:2:3: a tab as indentation; use spaces");
}

TEST(Yaml, KeysThatAreNotTextAreRefused) {
  EXPECT_THAT(error_of("? [a, b]\n: 1\n"), HasSubstr("a key must be text"));
  EXPECT_THAT(error_of("{a: 1}: 2\n"), HasSubstr("a key must be text"));
  EXPECT_THAT(error_of("~: 2\n"), HasSubstr("a key must be text"));
}

TEST(Yaml, MergeKeysAndSecondDocumentsAreRefused) {
  EXPECT_THAT(error_of("a: &a {x: 1}\nb:\n  <<: *a\n"), StartsWith("p.yaml:3:3: merge keys"));
  EXPECT_THAT(error_of("a: 1\n---\nb: 2\n"), HasSubstr("second document"));
}

TEST(Yaml, WhatIsNotYamlSaysWhere) {
  EXPECT_THAT(error_of("a: [1, 2\nb: 3\n"), StartsWith("p.yaml:"));
  EXPECT_EQ(error_of("a: 'open\n"), "p.yaml:1:4: a quoted text that never ends");
  EXPECT_EQ(error_of("é: \"open \\\"\n"), "p.yaml:1:5: a quoted text that never ends");
  EXPECT_THAT(error_of("a: b: c\n"), StartsWith("p.yaml:1:5: not YAML"));
  EXPECT_THAT(error_of("a: *nowhere\n"), StartsWith("p.yaml:1:4: not YAML"));
}

TEST(Yaml, BytesThatAreNotUtf8AndControlsAreRefused) {
  EXPECT_EQ(error_of("a: \xff\n"), "p.yaml:1:4: a byte that is not UTF-8");
  EXPECT_EQ(error_of(std::string_view("a: \0b", 5)), "p.yaml:1:4: a control character");
}

TEST(Yaml, AnAliasInsideItselfIsRefused) {
  EXPECT_THAT(error_of("a: &a [*a]\n"), HasSubstr("inside the very value"));
  EXPECT_THAT(error_of("&a x: &b {y: *b}\n"), HasSubstr("inside the very value"));
}

TEST(Yaml, DepthIsLimited) {
  EXPECT_THAT(error_of(std::string(65, '[') + std::string(65, ']')),
              StartsWith("p.yaml:1:65: nested deeper than 64 levels"));
  EXPECT_EQ(tree_of(std::string(64, '[') + std::string(64, ']'))->height, 64U);
  // Aliases nest as deep as what they name.
  std::string text = "a0: &a0 [x]\n";
  for (int i = 1; i < 70; ++i) {
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  }
  EXPECT_THAT(error_of(text), HasSubstr("nested deeper than 64 levels"));
}

TEST(Yaml, SizeAndLineLengthAreLimited) {
  EXPECT_EQ(error_of(repeated("# a comment\n", (1 << 20) + 12)),
            "p.yaml: the file has 1048584 bytes; at most 1048576 are read");
  EXPECT_THAT(error_of("a: " + std::string(70'000, 'x')), HasSubstr("a line longer than 65536"));
}

std::string alias_bomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) text += ", " + before;
    text += "]\n";
  }
  return text;
}

TEST(Yaml, AliasBombsDieEarly) {
  EXPECT_THAT(error_of(alias_bomb()), HasSubstr("more than 100000 values, aliases written out"));
}

std::string numbered_keys(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += "k" + std::to_string(i) + ": 1\n";
  return text;
}

std::string falling_indentation(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; text.size() + i + 3 < bytes; ++i) text += std::string(i, ' ') + "a:\n";
  return text;
}

std::int64_t peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

// Every hostile file of a mebibyte gets an answer in bounded memory. Time is printed, not asserted.
TEST(Yaml, HostileFilesAreRefusedInBoundedMemory) {
  constexpr std::size_t kMega = (1 << 20) - 64;
  const std::vector<std::pair<std::string, std::string>> files = {
      {"alias bomb", alias_bomb()},
      {"lists in lists", repeated("[", 65'000)},
      {"maps in maps", repeated("{", 65'000)},
      {"lists in lists on lines", repeated("[\n", kMega)},
      {"maps in maps on lines", repeated("{a:\n", kMega)},
      {"block lists", repeated("- ", 60'000)},
      {"block lists on lines", repeated("-\n", kMega)},
      {"explicit keys", repeated("? ", 60'000)},
      {"explicit keys on lines", repeated("?\n", kMega)},
      {"anchors", repeated("&a ", 60'000)},
      {"anchored values", "[" + repeated("&a b,\n", kMega) + "]"},
      {"tags", repeated("!a ", 60'000)},
      {"commas", "[" + repeated("a,\n", kMega) + "]"},
      {"open quote", "a: \"" + repeated("b\n", kMega)},
      {"open single quote", "a: '" + repeated("b\n", kMega)},
      {"many quotes", "[" + repeated("'a',", 60'000) + "'"},
      {"colons", repeated("a: ", 60'000)},
      {"colons on lines", repeated(":\n", kMega)},
      {"many keys", numbered_keys(kMega)},
      {"deep indentation", falling_indentation(kMega)},
      {"documents", repeated("---\n", kMega)},
      {"directives", repeated("%YAML 1.2\n", kMega)},
  };
  for (const auto& [name, text] : files) {
    const auto begin = std::chrono::steady_clock::now();
    const auto loaded = load_yaml(text, "p.yaml");
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now() - begin);
    EXPECT_FALSE(loaded) << name;
    if (loaded) continue;
    EXPECT_EQ(loaded.error().exit_code(), 78);
    std::cout << name << ": " << ms.count() << " ms, peak " << peak_mib() << " MiB, "
              << loaded.error().message() << "\n";
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(peak_mib(), 100);
#endif
}

TEST(Yaml, AForgottenBracketIsReportedNearby) {
  EXPECT_THAT(error_of("a: [1, 2\nb: 3\n"),
              StartsWith("p.yaml:2:2: not YAML: end of sequence flow"));
  EXPECT_THAT(error_of("a: 1\nfeatures:\n  - {one_hot: [a, b}\nb: 3\n"),
              StartsWith("p.yaml:3:20: not YAML: illegal flow end"));
  EXPECT_THAT(error_of("a: 1\nfeatures:\n  - {one_hot: [a, b]\nb: 3\n"),
              StartsWith("p.yaml:3:5: a key must be text (is a bracket not closed?)"));
  EXPECT_THAT(error_of("a: 1\n b: 3\n"), StartsWith("p.yaml:2:3: not YAML"));
}

TEST(Yaml, HarmlessOdditiesLoad) {
  constexpr std::size_t kMega = (1 << 20) - 64;
  EXPECT_EQ(tree_of("a: " + repeated("b\n  ", kMega))->entries.size(), 1U);
  EXPECT_EQ(tree_of("[" + repeated("a,", 60'000) + "]")->items.size(), 30'000U);
  EXPECT_EQ(tree_of("\xEF\xBB\xBF"
                    "a: 'x'\r\nb: \"y\"\r\n")
                ->find("b")
                ->value->text,
            "y");
}

TEST(Yaml, WrittenTreesLoadAsTheSameTree) {
  const std::string text =
      "a: 1\nb: 'it''s'\nc: [x, 'no', '', \"tab\\there\"]\nd: {}\ne: []\nf: null\n"
      "g:\n  - {h: 1, i: [1, 2]}\n  - [[a], b]\n'odd: key': |\n  two\n  lines\n";
  const NodePtr first = tree_of(text);
  const std::string written = to_yaml(*first);
  const NodePtr second = tree_of(written);
  EXPECT_EQ(to_yaml(*second), written);
  EXPECT_EQ(second->entries.back().key, "odd: key");
  EXPECT_EQ(second->entries.back().value->text, "two\nlines\n");
  EXPECT_EQ(second->find("c")->value->items[3]->text, "tab\there");
  EXPECT_EQ(second->weight, first->weight);
}

}  // namespace
}  // namespace millrace::config
