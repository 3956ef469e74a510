"""Style sheet of the report: system fonts, light and dark, from a phone's width on."""

STYLE = """
:root { color-scheme: light dark;
  --page: #fbfaf7; --card: #ffffff; --ink: #22241f; --soft: #62665c; --line: #dfddd4; --accent: #4d6b1f;
  --good: #1f6b3a; --bad: #a3341f; --best: #eef3e2; --hot: 86, 130, 40; }
@media (prefers-color-scheme: dark) { :root {
  --page: #171815; --card: #20221d; --ink: #eceae2; --soft: #a6a99d; --line: #3a3c35; --accent: #b4cf7c;
  --good: #82cf9a; --bad: #f0907a; --best: #2d3522; --hot: 150, 190, 90; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; text-wrap: balance; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
p { max-width: 44rem; margin: .25rem 0 1rem; }
small, .facts, .soft { color: var(--soft); }
.facts { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; font-size: .9rem; }
.scroll { overflow-x: auto; margin: 1rem 0; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; }
.scroll:focus-visible, .wide:focus-visible, summary:focus-visible {
  outline: 2px solid var(--accent); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: .9rem; }
caption { text-align: left; padding: .6rem .8rem; color: var(--soft); }
caption span { display: block; max-width: calc(100vw - 5rem); }
th, td { padding: .45rem .8rem; border-top: 1px solid var(--line); text-align: right; vertical-align: baseline; }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap; }
th:first-child { text-align: left; font-weight: 500; position: sticky; left: 0; background: var(--card);
  min-width: 8.5rem; }
td span { display: block; } td small { display: block; font-size: .75rem; white-space: nowrap; }
abbr { text-decoration: none; color: var(--accent); }
.best { background: var(--best); } .best span { font-weight: 700; }
.better span, .better .verdict { color: var(--good); } .worse span, .worse .verdict { color: var(--bad); }
.heat { background: rgba(var(--hot), calc(var(--share) * .75)); text-align: center; }
.none { color: var(--soft); }
.heats { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: 1rem;
  margin: 1rem 0; }
article .views { display: grid; gap: 1rem; margin-top: .75rem; grid-template-columns: minmax(0, 1fr); }
figure { margin: 0; min-width: 0; } figcaption { font-size: .85rem; color: var(--soft); margin-bottom: .3rem; }
img, video { display: block; max-width: 100%; height: auto; border-radius: .25rem; }
.names { display: flex; font-size: .8rem; color: var(--soft); } .names span { flex: 1; overflow: hidden;
  text-overflow: ellipsis; padding-right: .25rem; }
.strip { display: grid; grid-template-columns: minmax(3.5rem, 6rem) 1fr; gap: .5rem; }
.strip .rows { display: flex; flex-direction: column; font-size: .8rem; color: var(--soft); }
.strip .rows span { flex: 1; display: flex; align-items: center; overflow-wrap: anywhere; }
details { margin: .5rem 0; } summary { cursor: pointer; padding: .35rem 0; color: var(--accent); }
dl { display: grid; grid-template-columns: minmax(6rem, max-content) 1fr; gap: .3rem 1rem; font-size: .9rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } .wide > * { min-width: 30rem; }
@media (min-width: 56rem) {
  article .views { grid-template-columns: repeat(2, minmax(0, 1fr)); } .inputs { grid-column: 1 / -1; } }
"""
