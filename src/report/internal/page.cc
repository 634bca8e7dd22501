#include "report/internal/page.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "env/clock.h"
#include "report/internal/escape.h"
#include "report/internal/style.h"

namespace millrace::report {
namespace {

// Our own sentences: a figure stays on one line with its per cent sign.
std::string prose(std::string_view text) {
  constexpr std::size_t kCharactersMax = 1000;
  std::string html = html_text(text, kCharactersMax);
  for (std::size_t at = 0; (at = html.find(" %", at)) != std::string::npos;) {
    html.replace(at, 1, "&nbsp;");
  }
  return html;
}

std::string paragraph(std::string_view css_class, std::string_view text) {
  if (text.empty()) return {};
  return fmt::format("<p class=\"{}\">{}</p>\n", css_class, prose(text));
}

std::string_view number_class(const TableColumn& column) {
  return column.number ? " class=\"num\"" : "";
}

}  // namespace

std::string tiles_html(const std::vector<Tile>& tiles) {
  std::string html = "<div class=\"tiles\">\n";
  for (const Tile& tile : tiles) {
    html += fmt::format("<dl class=\"tile {}\"><dt>{}</dt><dd class=\"value\">{}</dd>", tile.accent,
                        html_text(tile.label), html_text(tile.value));
    if (!tile.note.empty()) html += fmt::format("<dd class=\"note\">{}</dd>", prose(tile.note));
    html += "</dl>\n";
  }
  return html += "</div>\n";
}

std::string bars_html(const std::vector<BarRow>& rows, double mark, std::string_view css_class) {
  std::string html = "<ul class=\"bars\">\n";
  for (const BarRow& row : rows) {
    const double percent = 100 * std::clamp(row.share, 0.0, 1.0);
    html += fmt::format(
        R"(<li><div class="text"><span class="label">{}</span><span class="figures">{}<b>{}</b></span></div>)",
        html_text(row.label), html_text(row.note), html_text(row.value));
    html += fmt::format(
        R"(<svg aria-hidden="true"><rect class="track" width="100%" height="10" rx="3"/><rect class="{}" width="{:.2f}%" height="10" rx="3"/>)",
        css_class, percent);
    if (mark >= 0) {
      html += fmt::format(R"(<rect class="tickmark" x="{:.2f}%" width="2" height="10"/>)",
                          100 * std::min(mark, 1.0));
    }
    html += "</svg></li>\n";
  }
  return html += "</ul>\n";
}

std::string table_html(const TableData& table) {
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">"
      "<table><caption>{0}</caption>\n<thead><tr>",
      html_text(table.caption));
  for (const TableColumn& column : table.columns) {
    html +=
        fmt::format("<th scope=\"col\"{}>{}</th>", number_class(column), html_text(column.title));
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    CHECK(row.size() == table.columns.size());
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string_view tag = i == 0 ? "th" : "td";
      html += fmt::format("<{0}{1}{2}>{3}</{0}>", tag, i == 0 ? " scope=\"row\"" : "",
                          number_class(table.columns[i]), html_text(row[i], 80));
    }
    html += "</tr>\n";
  }
  return html += "</tbody></table></div>\n";
}

std::string facts_html(const std::vector<std::pair<std::string, std::string>>& facts) {
  std::string html = "<dl class=\"facts\">\n";
  for (const auto& [name, value] : facts) {
    html += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_text(name), html_text(value));
  }
  return html += "</dl>\n";
}

std::string card_html(std::string_view title, std::string_view note, std::string_view content_html,
                      CardWidth width) {
  return fmt::format(
      "<section class=\"card{}\">\n<h2>{}</h2>\n{}<div class=\"body\">\n{}</div>\n</section>\n",
      width == CardWidth::kFull ? " full" : "", html_text(title), paragraph("note", note),
      content_html);
}

std::string page_time(Timestamp time) {
  std::string text = env::format_rfc3339(time).substr(0, 19);
  text[10] = ' ';
  return text + " UTC";
}

std::string page_html(const PageText& text, std::string_view tiles, std::string_view cards) {
  std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  html +=
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta name=\"referrer\" content=\"no-referrer\">\n"
      "<link rel=\"icon\" href=\"data:,\">\n";
  html +=
      fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<div class=\"wrap\">\n",
                  html_text(text.kicker + " · " + text.title), kStyleSheet);
  html += fmt::format("<header>\n{}<h1>{}</h1>\n{}{}</header>\n<main>\n",
                      paragraph("kicker", text.kicker), html_text(text.title),
                      paragraph("lead", text.lead), paragraph("warning", text.warning));
  html += tiles;
  html += "<div class=\"cards\">\n";
  html += cards;
  html += "</div>\n</main>\n<footer>\n" + paragraph("none", text.footer) + "</footer>\n";
  return html += "</div>\n</body>\n</html>\n";
}

}  // namespace millrace::report
