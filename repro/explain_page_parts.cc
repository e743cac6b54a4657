// repro/explain_page_parts.cc - how the page of an explanation looks, and what its keys
// do.
//
// Tested by explain_page_test.cc and page_in_browser_test.cc.
#include "repro/explain_page.h"

namespace racier::repro {

const std::string_view kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #1c1e21; --soft: #5b626b; --line: #d5d9de; --lane: #eef4fb;
  --bad: #b3261e; --bad-ground: #fdecea; --mark: #8a5a00; --mark-ground: #fff6e0;
  --current: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #16181c; --text: #e4e6ea; --soft: #a3abb6; --line: #363c44; --lane: #1d2733;
    --bad: #ff8a80; --bad-ground: #3a1d1b; --mark: #f0c36d; --mark-ground: #322a17;
    --current: #7db1ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif; }
header, main { padding: 0 1.5rem; }
h1 { font-size: 1.3rem; margin: 1rem 0 .5rem; color: var(--bad); overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 0 0 .4rem; }
h3 { font-size: .9rem; margin: .8rem 0 .2rem; color: var(--soft); }
code, td, .words { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 13px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
dd p { margin: 0 0 .15rem; }
dd.clash { color: var(--bad); }
nav { position: sticky; top: 0; z-index: 2; background: var(--ground); padding: .6rem 1.5rem;
  border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: .4rem;
  margin-top: .8rem; align-items: center; }
button { font: inherit; font-size: 13px; padding: .2rem .6rem; color: var(--text);
  background: var(--lane); border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
button:focus-visible, #run:focus-visible { outline: 2px solid var(--current);
  outline-offset: 1px; }
kbd { font: 12px ui-monospace, monospace; border: 1px solid var(--line); border-radius: 3px;
  padding: 0 .25rem; color: var(--soft); }
main { display: grid; grid-template-columns: minmax(0, 1fr) 21rem; gap: 1.5rem;
  padding-top: .8rem; padding-bottom: 4rem; align-items: start; }
#run { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; }
caption { text-align: left; color: var(--soft); padding-bottom: .4rem; }
th { text-align: left; font-weight: 600; }
th.number, td.number { width: 4rem; }
tbody th { font: 12px ui-monospace, monospace; color: var(--soft); vertical-align: top;
  padding: .2rem .4rem; }
td { vertical-align: top; padding: .2rem .5rem; border-left: 1px solid var(--line);
  overflow-wrap: anywhere; }
td.mine { background: var(--lane); }
tr.step { cursor: pointer; scroll-margin: 4rem 0 2rem; }
tr.plain { display: none; }
body.all tr.plain, tr.plain.current { display: table-row; }
body.all tr.fold { display: none; }
tr.fold td { color: var(--soft); }
tr.turn td { border: 0; border-top: 1px dashed var(--mark); color: var(--mark);
  background: var(--mark-ground); }
tr.clash td.mine { background: var(--bad-ground); box-shadow: inset 3px 0 var(--bad); }
tr.finding td.mine { color: var(--bad); font-weight: 600; }
tr.current th { color: var(--current); font-weight: 700; }
tr.current td.mine { outline: 2px solid var(--current); outline-offset: -2px; }
.call { display: block; font-weight: 600; }
.site { color: var(--soft); }
.words { display: block; padding-left: 1rem; }
aside { position: sticky; top: 4rem; border: 1px solid var(--line); border-radius: 6px;
  padding: .8rem 1rem; max-height: calc(100vh - 5rem); overflow: auto; }
aside ul { margin: 0; padding-left: 1.1rem; }
aside dl { font-size: 13px; }
aside .changed { color: var(--mark); font-weight: 600; }
@media (max-width: 60rem) {
  main { grid-template-columns: 1fr; }
  aside { position: static; max-height: none; order: -1; }
}
)css";

const std::string_view kPageScript = R"js(
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const rows = data.steps.map((_, i) => document.getElementById('s' + i));
  const panel = document.getElementById('state');
  let current = -1;

  function element(name, text, kind) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (kind) made.className = kind;
    return made;
  }

  // What each task holds and waits for, and what words hold, behind step `last`.
  function stateBehind(last) {
    const tasks = data.tasks.map((name) => ({name, holds: [], waits: '', rcu: false}));
    const words = new Map();
    for (let i = 0; i <= last; ++i) {
      const step = data.steps[i];
      if (step.task >= 0 && !step.finding) {
        Object.assign(tasks[step.task],
          {holds: step.holds, waits: step.waits, rcu: step.rcu, began: true});
      }
      if (step.counts && step.after !== '') {
        words.set(step.object, {value: step.after, changed: i === last &&
          step.before !== step.after});
      } else if (step.counts && words.has(step.object)) {
        words.get(step.object).changed = false;
      }
      if (i < last) for (const word of words.values()) word.changed = false;
    }
    return {tasks, words};
  }

  function show() {
    const step = data.steps[current];
    const state = stateBehind(current);
    const title = step.finding ? 'The finding' : 'Behind step ' + (data.skipped + current);
    panel.replaceChildren(element('h2', title), element('div', step.what, 'words'));
    for (const task of state.tasks) {
      if (!task.began) continue;
      panel.append(element('h3', (task.name === 'rcu' ? '' : 'task ') + task.name));
      const list = element('ul');
      for (const lock of task.holds) list.append(element('li', 'holds ' + lock));
      if (task.rcu) list.append(element('li', 'in an RCU read section'));
      if (task.waits) list.append(element('li', 'waits for ' + task.waits));
      if (!list.children.length) list.append(element('li', 'holds nothing'));
      panel.append(list);
    }
    if (!state.words.size) return;
    panel.append(element('h3', 'counts'));
    const counts = element('dl');
    for (const [name, word] of state.words) {
      counts.append(element('dt', name),
                    element('dd', word.value, word.changed ? 'changed' : ''));
    }
    panel.append(counts);
  }

  // Makes a step the current one; in sight, unless the page was only just opened.
  function goTo(step, opened) {
    if (!rows.length) return;
    const next = Math.max(0, Math.min(rows.length - 1, step));
    if (current >= 0) {
      rows[current].classList.remove('current');
      rows[current].removeAttribute('aria-current');
    }
    current = next;
    rows[current].classList.add('current');
    rows[current].setAttribute('aria-current', 'step');
    if (!opened) {
      rows[current].scrollIntoView({block: 'nearest'});
      history.replaceState(null, '', '#s' + current);
    }
    show();
  }

  // Goes to the next step, or the one before, of which `is` is true.
  function seek(by, is) {
    for (let i = current + by; i >= 0 && i < rows.length; i += by) {
      if (is(data.steps[i])) return goTo(i);
    }
  }
  const turns = (step) => step.turn;
  function nextClash() {
    const found = (from) => data.steps.findIndex((step, i) => i > from && step.clash);
    const next = found(current);
    goTo(next >= 0 ? next : found(-1));
  }
  function toggleAll() {
    const all = document.body.classList.toggle('all');
    document.getElementById('all').setAttribute('aria-pressed', String(all));
    rows[current].scrollIntoView({block: 'nearest'});
  }

  const actions = {
    first: () => goTo(0), last: () => goTo(rows.length - 1),
    next: () => goTo(current + 1), back: () => goTo(current - 1),
    turn: () => seek(1, turns), turnback: () => seek(-1, turns),
    clash: nextClash, all: toggleAll,
  };
  const keys = {
    j: 'next', ArrowDown: 'next', k: 'back', ArrowUp: 'back', Home: 'first', End: 'last',
    n: 'turn', p: 'turnback', c: 'clash', a: 'all',
  };
  document.addEventListener('keydown', (event) => {
    const action = keys[event.key];
    if (!action || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    actions[action]();
  });
  for (const button of document.querySelectorAll('button[id]')) {
    button.addEventListener('click', () => actions[button.id]());
  }
  rows.forEach((row, i) => row.addEventListener('click', () => goTo(i)));
  const wanted = /^#s([0-9]+)$/.exec(location.hash);
  if (wanted) goTo(Number(wanted[1]));
  else goTo(Math.max(0, data.steps.findIndex((step) => step.clash)), true);
})();
)js";

}  // namespace racier::repro
