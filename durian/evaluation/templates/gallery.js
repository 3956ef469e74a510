"use strict";

// One answer is {pair, look, rating, fault, seconds, time} or {pair, looks, better, seconds, time}; they lie in
// `answers` in the order they were given, one for each question, so that the last one can be taken back.
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const LETTERS = "ABCD", NO_FAULT = data.ratings[0];
const store = `durian-gallery-${data.gallery}`;
let rater = "", answers = [], pairs = data.pairs, place = 0, step = 0, chosen = null, waiting = false, since = 0;

// What is asked of a pair: a rating of each look, and of several which is better.
const questions = (pair) => [
  ...pair.looks.map((look) => look.name),
  ...(pair.looks.length > 1 ? [pair.looks.map((look) => look.name).sort().join(" ")] : []),
];
const question = (answer) => answer.look ?? answer.looks.join(" ");
const answerTo = (name) => answers.find((answer) => question(answer) === name);
const isDone = (pair) => questions(pair).every(answerTo);
const asked = () => questions(pairs[place])[step];
const isChoice = () => step >= pairs[place].looks.length;

// Each rater of a browser has answers of their own; pictures that are no longer there lose theirs.
function keep() {
  try {
    localStorage.setItem(store, rater);
    localStorage.setItem(`${store} ${rater}`, JSON.stringify(answers));
  } catch { /* a browser that keeps nothing */ }
}

function recall() {
  try {
    const known = new Set(data.pairs.flatMap(questions));
    const kept = JSON.parse(localStorage.getItem(`${store} ${rater}`)) ?? [];
    answers = kept.filter((answer) => known.has(question(answer)));
  } catch { answers = []; }
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function figure(words, file, className = "") {
  const image = element("img", { src: file, alt: words });
  return element("figure", { className }, image, ...(className ? [] : [element("figcaption", { textContent: words })]));
}

function drawLook(look, index, count) {
  const letter = count > 1 ? LETTERS[index] : "";
  const heading = element("h3", {}, letter, element("b", { id: `rated-${index}` }));
  const clip = element("video", {
    className: "half", src: look.clip, autoplay: true, loop: true, muted: true, playsInline: true, preload: "auto",
  });
  clip.setAttribute("aria-label", `${letter} in motion`.trim());
  const still = element("img", { className: "half", src: look.still, alt: `${letter} still`.trim() });
  const frames = look.frames.map((file, number) =>
    element("img", { className: "frame", src: file, alt: `${letter} frame ${number + 1}`.trim() }));
  const card = element("article", { className: "look" }, heading,
    element("div", { className: "shown" }, still, clip, ...frames));
  card.addEventListener("click", () => { if (count > 1) { settle(); step = index; begin(); } });
  return card;
}

function draw() {
  const pair = pairs[place], count = pair.looks.length;
  $("title").textContent = `Pair ${pair.number} · ${pair.kind}`;
  const lost = pair.looks.length && pair.missing ? `${pair.missing} more could not be made.` : "";
  $("told").textContent = pair.error ?? lost;
  $("told").hidden = !$("told").textContent;
  $("inputs").replaceChildren(...pair.inputs.map((input) => figure(input.name, input.file)));
  $("looks").className = ["none", "one", "two", "three", "four"][count];
  $("looks").replaceChildren(...pair.looks.map((look, index) => drawLook(look, index, count)));
  $("better").replaceChildren(...(count > 1 ? [...pair.looks.keys()].map((index) =>
    button(LETTERS[index], LETTERS[index].toLowerCase(), () => choose(pair.looks[index].name)))
    .concat(button("the same", "=", () => choose(null))) : []));
  const first = questions(pair).findIndex((name) => !answerTo(name));
  step = Math.max(0, first);
  begin();
  ahead(pairs[place + 1]);
}

// The next pair is loaded while this one is looked at.
function ahead(pair) {
  for (const look of pair?.looks ?? []) {
    for (const file of [look.still, ...look.frames]) new Image().src = file;
    element("video", { preload: "auto", muted: true, src: look.clip }).load();
  }
}

function begin() { chosen = null; waiting = false; since = performance.now(); mark(); bring(); }

// On a narrow page one of several looks may lie below the window's edge.
function bring() { document.querySelector(".look.asked")?.scrollIntoView({ block: "nearest" }); }

function mark() {
  const pair = pairs[place], answer = pair.looks.length ? answerTo(asked()) : undefined, choice = isChoice();
  const many = pair.looks.length > 1;
  $("question").textContent = !pair.looks.length ? "Nothing to rate" : choice ? "Which is better?"
    : waiting ? "What is wrong?" : many ? `How is ${LETTERS[step]}?` : "How is it?";
  [...$("looks").children].forEach((card, index) => {
    card.classList.toggle("asked", many && !choice && index === step);
    const given = answerTo(pair.looks[index].name), badge = $(`rated-${index}`);
    badge.className = given?.rating ?? "";
    badge.textContent = given ? [given.rating, given.fault].filter(Boolean).join(", ") : many ? "" : "not rated yet";
  });
  press($("ratings"), data.ratings.indexOf(answer?.rating), choice || !pair.looks.length);
  press($("faults"), Object.keys(data.faults).indexOf(answer?.fault ?? chosen), choice || !pair.looks.length);
  const sides = pair.looks.map((look) => look.name);
  const better = !choice || !answer ? -1 : answer.better === null ? sides.length : sides.indexOf(answer.better);
  press($("better"), better, !choice);
  $("undo").disabled = !answers.length;
  $("back").disabled = place === 0;
  progress();
}

function press(row, index, off) {
  row.hidden = off;
  [...row.children].forEach((each, number) => each.setAttribute("aria-pressed", String(number === index)));
}

function progress() {
  const rateable = (list) => list.filter((pair) => pair.looks.length);
  const told = (list) => `${rateable(list).filter(isDone).length} of ${rateable(list).length}`;
  const rated = answers.filter((answer) => answer.look), total = answers.reduce((sum, each) => sum + each.seconds, 0);
  const pace = rated.length ? ` · ${(total / rated.length).toFixed(1)} s each` : "";
  const here = pairs === data.pairs ? "" : ` (${told(pairs)} of this kind)`;
  $("progress").textContent = `Rated ${told(data.pairs)}${here}${pace}`;
}

function give(answer) {
  const { number } = pairs[place];
  answers = answers.filter((other) => question(other) !== question(answer));
  const seconds = Math.round(performance.now() - since) / 1000;
  answers.push({ pair: number, ...answer, seconds, time: new Date().toISOString() });
  keep();
}

function rate(rating) {
  if (isChoice()) return;
  const fault = rating === NO_FAULT ? null : chosen ?? (waiting ? answerTo(asked()).fault : null);
  give({ look: asked(), method: data.method, rating, fault });
  if (rating === NO_FAULT || fault) return next();
  waiting = true;
  mark();
}

function blame(fault) {
  if (isChoice()) return;
  const answer = answerTo(asked());
  if (answer && answer.rating !== NO_FAULT) {
    if (waiting) { give({ look: answer.look, method: data.method, rating: answer.rating, fault }); return next(); }
    answer.fault = fault;
    keep();
  } else chosen = chosen === fault ? null : fault;
  mark();
}

function choose(better) {
  if (!isChoice()) return;
  give({ looks: asked().split(" "), better });
  next();
}

// A rating that still waits for its fault is an answer without one.
function settle() { waiting = false; }

function next() {
  settle();
  if (step + 1 < questions(pairs[place]).length) { step += 1; begin(); } else go(1);
}

function go(by) {
  settle();
  if (place + by >= pairs.length) return end();
  place = Math.max(0, place + by);
  draw();
}

function undo() {
  const last = answers.pop();
  if (!last) return;
  keep();
  if (!pairs.some((pair) => pair.number === last.pair)) filter("");
  show("rating");
  place = pairs.findIndex((pair) => pair.number === last.pair);
  draw();
  step = questions(pairs[place]).indexOf(question(last));
  begin();
}

function filter(kind) {
  $("kind").value = kind;
  pairs = kind ? data.pairs.filter((pair) => pair.kind === kind) : data.pairs;
  place = Math.max(0, pairs.findIndex((pair) => pair.looks.length && !isDone(pair)));
}

function show(name) { for (const id of ["start", "rating", "end"]) $(id).hidden = id !== name; }

function end() {
  const left = data.pairs.filter((pair) => pair.looks.length && !isDone(pair)).length;
  $("last").textContent = left ? "That was the last pair" : "Thank you";
  const open = `${left} ${left === 1 ? "pair is" : "pairs are"} not rated yet.`;
  $("summary").textContent = left ? open : "All pairs are rated.";
  for (const clip of document.querySelectorAll("video")) clip.pause();
  show("end");
}

function save() {
  const ratings = answers.filter((answer) => answer.look), preferences = answers.filter((answer) => answer.looks);
  const told = { format: "durian-ratings-1", gallery: data.gallery, rater, saved: new Date().toISOString(),
    ratings, preferences };
  const link = element("a", {
    href: URL.createObjectURL(new Blob([JSON.stringify(told, null, 1)], { type: "application/json" })),
    download: `ratings-${rater.replace(/[^\p{L}\p{N}]+/gu, "-")}.json`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function button(words, key, act) {
  const made = element("button", { type: "button" }, element("kbd", { textContent: key.toUpperCase() }), ` ${words}`);
  // Without the focus, so that Enter and Space stay the page's own.
  made.addEventListener("click", () => { made.blur(); act(); });
  return made;
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const key = event.key.toLowerCase();
  if (key === "backspace" && $("start").hidden) { event.preventDefault(); return undo(); }
  if ($("rating").hidden) { if (key === "arrowleft" && !$("end").hidden) back(); return; }
  if (key === "arrowleft") return go(-1);
  if (key === "arrowright") return go(1);
  const { looks } = pairs[place];
  if (!looks.length) return;
  if (isChoice()) {
    const better = looks.find((_, index) => LETTERS[index].toLowerCase() === key);
    if (better || key === "=") choose(better?.name ?? null);
    return;
  }
  if (data.ratings[Number(key) - 1]) return rate(data.ratings[Number(key) - 1]);
  const fault = Object.keys(data.faults).find((name) => data.faults[name] === key);
  if (fault) blame(fault);
}

function back() { show("rating"); draw(); }

$("ratings").append(...data.ratings.map((name, index) => button(name, String(index + 1), () => rate(name))));
$("faults").append(...Object.entries(data.faults).map(([name, key]) => button(name, key, () => blame(name))));
$("kind").append(element("option", { value: "", textContent: "all" }),
  ...[...new Set(data.pairs.map((pair) => pair.kind))].map((kind) =>
    element("option", { value: kind, textContent: kind })));
$("kind").addEventListener("change", () => { $("kind").blur(); filter($("kind").value); draw(); });
$("who").addEventListener("submit", (event) => {
  event.preventDefault();
  rater = $("rater").value.trim();
  if (!rater) return;
  recall();
  keep();
  filter("");
  show("rating");
  draw();
});
for (const [id, act] of [["back", () => go(-1)], ["forth", () => go(1)], ["undo", undo], ["save", save],
  ["save-all", save], ["return", back]]) $(id).addEventListener("click", () => { $(id).blur(); act(); });
document.addEventListener("keydown", onKey);
try { $("rater").value = localStorage.getItem(store) ?? ""; } catch { /* as above */ }
$("rater").focus();
