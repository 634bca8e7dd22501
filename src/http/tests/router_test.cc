#include "http/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::http {
namespace {

Router letters() {
  Router router;
  router.add(Method::kGet, "/",
             [](const Request&) {
               return Response{200, "", "root", {}};
             })
      .add(Method::kGet, "/items/{id}",
           [](const Request& r) {
             return Response{200, "", r.parameters.at("id"), {}};
           })
      .add(Method::kPost, "/items/{id}", [](const Request& r) {
        return Response{202, "", r.body, {}};
      });
  return router;
}

Routed ask(const Router& router, Method method, const std::string& target) {
  Request request;
  request.method = method;
  request.body = "body";
  if (!parse_target(target, request)) return {{400, "", "", {}}, "bad"};
  return router.answer(request);
}

TEST(Router, FindsByMethodAndTemplate) {
  const Router router = letters();
  EXPECT_EQ(ask(router, Method::kGet, "/").response.body, "root");
  EXPECT_EQ(ask(router, Method::kGet, "/items/7?x=1").response.body, "7");
  EXPECT_EQ(ask(router, Method::kGet, "/items/a%20b").response.body, "a b");
  EXPECT_EQ(ask(router, Method::kPost, "/items/7").response.status, 202);
  EXPECT_EQ(ask(router, Method::kHead, "/items/7").response.body, "7");
  EXPECT_EQ(ask(router, Method::kGet, "http://host:1/items/7").response.body, "7");
  EXPECT_EQ(ask(router, Method::kGet, "/items/7").route, "/items/{id}");
}

TEST(Router, UnknownPathsAre404) {
  const Router router = letters();
  for (const char* path :
       {"/items", "/items/", "/items/7/8", "//items/7", "/Items/7", "/items/7/", "/items;x/7"}) {
    EXPECT_EQ(ask(router, Method::kGet, path).response.status, 404) << path;
  }
  EXPECT_EQ(ask(router, Method::kGet, "/nothing").route, "none");
}

TEST(Router, OtherMethodsAre405AndToldWhichAreTaken) {
  const Router router = letters();
  const Routed routed = ask(router, Method::kDelete, "/items/7");
  EXPECT_EQ(routed.response.status, 405);
  EXPECT_EQ(routed.route, "/items/{id}");
  ASSERT_EQ(routed.response.headers.size(), 1U);
  EXPECT_EQ(routed.response.headers[0].second, "GET, HEAD, POST");
  EXPECT_EQ(ask(router, Method::kOther, "/").response.status, 405);
}

TEST(Target, BadEscapesAndNoPathsAreRefused) {
  Request request;
  for (const char* target :
       {"", "*", "x", "/%", "/%2", "/%zz", "/a%2fb", "/a%00", "/%0d%0a", "/%7f", "/a#b",
        "https://host/", "/./a", "/a/..", "/a/%2e%2e/b", "/a\x01", "/a b", "/\xc3\xa4"}) {
    EXPECT_FALSE(parse_target(target, request)) << target;
  }
}

TEST(Target, QueryIsCutOff) {
  Request request;
  ASSERT_TRUE(parse_target("/a?b=c?d", request));
  EXPECT_EQ(request.path, "/a");
  EXPECT_EQ(request.query, "b=c?d");
  ASSERT_TRUE(parse_target("http://host", request));
  EXPECT_EQ(request.path, "/");
}

}  // namespace
}  // namespace millrace::http
