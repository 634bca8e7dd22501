#include "report/internal/style.h"

namespace millrace::report {

// Blue and vermilion are told apart with every common colour blindness; text has a contrast of at
// least 4.5 to what is behind it, in light and dark.
const std::string_view kStyleSheet = R"css(
:root{color-scheme:light dark;--page:#f5f6f8;--card:#fff;--edge:#e1e5ea;--text:#17202a;--soft:#55606e;
--base:#2b6cb0;--wash:#dbe8f5;--pos:#c2410c;--warn:#8a4b00;--warn-card:#fff5e5;--grid:#e6e9ee;--axis:#9aa5b1;--track:#eceff3}
@media (prefers-color-scheme:dark){:root{--page:#0f1419;--card:#182028;--edge:#2a343f;--text:#e8ecf1;--soft:#a3afbc;
--base:#63a8e8;--wash:#1f3850;--pos:#f08a4b;--warn:#f5c26b;--warn-card:#2b2213;--grid:#28323d;--axis:#5b6876;--track:#26303a}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--edge:#ccc;--text:#000;--soft:#444;
--base:#2b6cb0;--wash:#dbe8f5;--pos:#c2410c;--warn:#8a4b00;--warn-card:#fff;--grid:#ddd;--axis:#888;--track:#eee}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","DejaVu Sans",sans-serif;
font-variant-numeric:tabular-nums;overflow-wrap:anywhere;-webkit-text-size-adjust:100%}
.wrap{max-width:1200px;margin:0 auto;padding:32px 20px 40px}
.kicker{margin:0;color:var(--soft);font-size:14px}
h1{margin:2px 0 6px;font-size:30px;line-height:1.2;letter-spacing:-.01em;font-weight:680}
.lead{margin:0;max-width:70ch;font-size:17px}
.warning{margin:18px 0 0;padding:10px 14px;border:1px solid var(--warn);border-radius:8px;background:var(--warn-card);color:var(--warn);font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(6,1fr);gap:12px;margin:24px 0 16px}
.tile{margin:0;padding:14px 16px 12px;background:var(--card);border:1px solid var(--edge);border-radius:10px}
.tile dt{color:var(--soft);font-size:13px}
.tile dd{margin:0}
.tile .value{font-size:26px;line-height:1.25;font-weight:650;letter-spacing:-.01em}
.tile .note{color:var(--soft);font-size:13px}
.tile.positive .value{color:var(--pos)}
.tile.warn .value{color:var(--warn)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:16px;align-items:stretch;grid-auto-flow:dense}
.card{min-width:0;margin:0;padding:18px 18px 16px;background:var(--card);border:1px solid var(--edge);border-radius:10px;break-inside:avoid}
.card.full{grid-column:1/-1}
h2{margin:0;font-size:17px;line-height:1.3;font-weight:650}
.card>.note{margin:2px 0 0;color:var(--soft);font-size:13.5px}
.card>.body{margin-top:14px}
.plot{display:block;width:100%;max-width:480px;height:auto;margin:0 auto;overflow:visible;font-family:inherit}
.plot.wide{max-width:none;min-width:860px}
.plot text{fill:var(--soft);font-size:12px}
.plot .mark{fill:var(--text);font-weight:600;paint-order:stroke;stroke:var(--card);stroke-width:4px;stroke-linejoin:round}
.plot .grid{stroke:var(--grid)}
.plot .axis{stroke:var(--axis)}
.plot .marker{stroke:var(--text);stroke-width:1.5;stroke-dasharray:4 3}
.plot .diagonal{stroke:var(--axis);stroke-dasharray:4 4;fill:none}
.plot .curve{stroke:var(--base);stroke-width:2;fill:none;stroke-linejoin:round}
.plot .second{stroke:var(--pos)}
.plot .area{fill:var(--wash)}
.base{fill:var(--base)}
.pos{fill:var(--pos)}
.dot{fill:var(--base);stroke:var(--card);stroke-width:1.5}
.bars{list-style:none;margin:0;padding:0;display:grid;gap:13px}
.bars .text{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 12px;font-size:14px}
.bars .label{font-weight:550;min-width:0}
.bars .figures{margin-left:auto;white-space:nowrap;color:var(--soft)}
.bars b{font-weight:650;margin-left:16px;color:var(--text)}
.bars svg{display:block;width:100%;height:10px;margin-top:4px}
.track{fill:var(--track)}
.tickmark{fill:var(--text)}
.legend{margin:12px 0 0;color:var(--soft);font-size:13px}
.key{display:inline-block;width:16px;height:3px;margin:0 6px 3px 0;background:var(--base);print-color-adjust:exact}
.key.second{background:var(--pos)}
.key.second~.key{margin-left:14px}
.scroll+.facts{margin-top:14px}
.legend svg{width:2px;height:12px;vertical-align:-1px;margin-right:6px}
.scroll{overflow-x:auto;background:linear-gradient(to left,var(--card),var(--card)) right/24px 100% no-repeat local,
linear-gradient(to left,var(--edge),transparent) right/12px 100% no-repeat scroll}
.scroll:focus-visible{outline:2px solid var(--base);outline-offset:-2px}
table{width:100%;border-collapse:collapse;font-size:14px}
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
th,td{padding:7px 12px;text-align:left;border-bottom:1px solid var(--edge);overflow-wrap:normal}
th:first-child,td:first-child{padding-left:0}
th:last-child,td:last-child{padding-right:0}
thead th{color:var(--soft);font-size:13px;font-weight:600;vertical-align:bottom;border-bottom-color:var(--axis)}
tbody th{font-weight:550;white-space:nowrap}
thead th:first-child,tbody th{position:sticky;left:0;background:var(--card)}
td{max-width:32ch}
tbody tr:last-child>*{border-bottom:0}
.num{text-align:right;white-space:nowrap}
.facts{margin:0;display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,150px),1fr));gap:12px 18px;font-size:14px}
.facts div{min-width:0}
.facts dt{color:var(--soft);font-size:13px}
.facts dd{margin:0}
.more{margin:12px 0 0;font-size:14px}
a{color:var(--base)}
.none{margin:0;color:var(--soft)}
footer{margin-top:24px;color:var(--soft);font-size:13px}
@media (max-width:1020px){.tiles{grid-template-columns:repeat(3,1fr)}td{white-space:nowrap;max-width:none}}
@media (max-width:520px){.wrap{padding:20px 12px 28px}h1{font-size:25px}.lead{font-size:16px}.tiles{grid-template-columns:1fr 1fr;gap:10px}
.tile{padding:12px}.tile .value{font-size:22px}.card{padding:16px 14px}th,td{padding:7px 8px}.facts{gap:6px 12px}}
@media print{.wrap{max-width:none;padding:0}.more{display:none}.scroll{overflow:visible}body{font-size:12px}.card,.tile{border-radius:4px}}
)css";

}  // namespace millrace::report
