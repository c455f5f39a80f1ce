// The steps of a workflow as a tree, beside them when they were under way.

// A tree's groups have no record of their own: the paths of their steps tell of them.
// 3.2.1 is step 1 of branch 2 of the group that is step 3.
function stepTree(steps) {
  const top = { steps: [] };
  const nodes = new Map([['', top]]);
  const node = (path, of) => {
    if (!nodes.has(path)) {
      const made = { path, steps: [], branch: of };
      nodes.set(path, made);
      const parts = path.split('.');
      node(parts.slice(0, -1).join('.'), !of).steps.push(made);
    }
    return nodes.get(path);
  };
  for (const step of steps) {
    const parts = step.path.split('.');
    node(parts.slice(0, -1).join('.'), true).steps.push(step);
  }
  return top.steps;
}

// span returns when a step or what is in it began and ended; to is null while it lasts.
function span(step) {
  if (!step.steps) return { from: date(step.begun), to: date(step.done) };
  const spans = step.steps.map(span);
  const open = spans.some((s) => !s.to);
  return { from: new Date(Math.min(...spans.map((s) => s.from))), to: open ? null : new Date(Math.max(...spans.map((s) => s.to))) };
}

// stepList shows a workflow's steps, and those of its children below them. scale
// says which part of the bar is which time.
function stepList(history, scale) {
  if (history.steps.length === 0) return el('p', { class: 'empty' }, 'No step has finished or waits.');
  return el('ol', { class: 'steps' }, stepTree(history.steps).map((s) => stepItem(s, history, scale)));
}

function stepItem(step, history, scale) {
  const s = span(step);
  const state = stateOf(step, s, history);
  const line = [
    el('span', { class: 'path' }, step.path),
    el('span', { class: 'what' }, el('span', { class: 'step ' + kindOf(step) }, kindOf(step)), ' ', titleOf(step), ' ', noteOf(step, history)),
    el('span', { class: 'took' }, s.to ? lasted(s) : state === 'waits' ? waitsUntil(step) : ''),
    bar(s, scale, state),
  ];
  const inner = step.steps ? el('ol', { class: 'steps' }, step.steps.map((x) => stepItem(x, history, scale)))
    : step.child && stepList(step.child, scale);
  if (step.steps) return el('li', { key: step.path }, el('div', { class: 'line' }, line), inner);
  return el('li', { key: step.path },
    el('details', {}, el('summary', { class: 'line' }, line), stepDetails(step, s)), inner);
}

// lasted shows how long a step took; times in the log are those of commits.
const lasted = (s) => s.to - s.from < 1 ? '<1 ms' : duration(s.to - s.from);

const kindOf = (step) => step.steps ? (step.branch ? 'branch' : 'group') : step.kind;

function titleOf(step) {
  if (!step.steps) return el('span', { class: 'name' }, step.name || '');
  return step.branch ? null : el('span', { class: 'name' }, step.steps.length === 1 ? '1 branch' : `${step.steps.length} branches`);
}

function noteOf(step) {
  if (step.steps) return null;
  if (step.error) return el('span', { class: 'bad' }, step.error);
  if (step.timedOut) return el('span', { class: 'warn' }, 'timed out');
  if (step.child) return [pill(step.child.status), ' ', el('a', { href: '#/workflows/' + encodeURIComponent(step.child.id) }, 'open')];
  if (step.result !== undefined && step.result !== null) return el('span', { class: 'preview' }, '→ ' + shorten(compact(step.result), 60));
  return null;
}

const shorten = (text, n) => text.length > n ? text.slice(0, n - 1) + '…' : text;

function stateOf(step, s, history) {
  if (!s.to) return final(history.status) ? 'dropped' : 'waits';
  return step.error ? 'failed' : step.timedOut ? 'late' : 'done';
}

const final = (status) => ['completed', 'failed', 'cancelled'].includes(status);

function waitsUntil(step) {
  const due = date(step.due);
  return due ? ago(due) : 'waits';
}

function bar(s, scale, state) {
  const at = (t) => Math.max(0, Math.min(100, (t - scale.from) / (scale.to - scale.from || 1) * 100));
  const from = at(s.from), to = at(s.to || scale.to);
  return el('span', { class: 'bar' }, el('svg', { viewBox: '0 0 100 8', preserveAspectRatio: 'none', 'aria-hidden': true },
    el('rect', { class: 'track', x: 0, y: 3.5, width: 100, height: 1 }),
    el('rect', { class: state, x: Math.min(from, 99.2).toFixed(2), y: 0, width: Math.max(to - from, 0.8).toFixed(2), height: 8 })));
}

function stepDetails(step, s) {
  return el('dl', { class: 'facts' },
    fact('began', when(s.from)),
    fact('ended', s.to ? when(s.to) : null),
    fact('until', step.due ? when(date(step.due)) : null),
    fact('error', step.error ? el('pre', { class: 'bad wrap' }, step.error) : null, 'all'),
    fact('result', step.result !== undefined && !step.error ? el('pre', {}, json(step.result)) : null, 'all'));
}

const fact = (name, value, where) => value === null || value === undefined || value === '' ? null
  : el('div', { class: where }, el('dt', {}, name), el('dd', {}, value));
