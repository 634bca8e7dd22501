// Which handler answers which method and path.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace millrace::http {

// What a request is answered by, and the template it was found under ("none" where there is none):
// a closed set, fit for a metric's label.
struct Routed {
  Response response;
  std::string_view route;
};

// Filled once, then only read: thread-safe from then on.
class Router {
 public:
  // `path` begins with '/'; a segment "{name}" takes any text but none and puts it into
  // Request::parameters. A GET route answers HEAD as well. Two routes of one method and path are a
  // CHECK failure.
  Router& add(Method method, std::string path, Handler handler);

  // Fills the request's parameters and calls the handler; 404 and 405 (with Allow) are answers too.
  Routed answer(Request& request) const;

 private:
  struct Route {
    Method method;
    std::string path;
    std::vector<std::string> segments;
    Handler handler;
  };
  std::vector<Route> routes_;
};

// "/a/b%20c?x=1" or "http://host/a/b%20c?x=1" into path and query of `request`. Errors: kBadData
// for a bad escape, an escaped '/' or control character, a segment "." or "..", and what is no
// path at all.
Status parse_target(std::string_view target, Request& request);

}  // namespace millrace::http
