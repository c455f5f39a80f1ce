// The list of workflows, and one of them.

const statuses = ['running', 'suspended', 'parked', 'completed', 'failed', 'cancelled'];

function workflowsView(root, app) {
  const methods = app.services.flatMap((s) => s.methods.filter((m) => m.kind === 'workflow').map((m) => `${s.name}.${m.name}`));
  let filter = { status: '', method: '' }, cursors = [], page = null;
  const choose = (label, name, options) => {
    const select = el('select', { id: 'by-' + name, onchange: () => { filter[name] = select.value; restart(); } },
      el('option', { value: '' }, 'any'), options.map((o) => el('option', { value: o }, o)));
    return [el('label', { for: 'by-' + name }, label), select];
  };
  const filters = el('form', { class: 'filters', onsubmit: (e) => { e.preventDefault(); open(id.value); } },
    choose('Status', 'status', statuses), choose('Method', 'method', methods));
  const id = el('input', { id: 'by-id', type: 'search', placeholder: 'open by id', autocomplete: 'off', 'aria-label': 'Workflow id' });
  filters.append(id);
  const open = (value) => { if (value.trim()) location.hash = '#/workflows/' + encodeURIComponent(value.trim()); };
  const list = el('div', {});
  render(root, el('h1', {}, 'Workflows'), el('section', { class: 'card' }, filters, list));
  const load = async (signal) => {
    page = await api.workflows({ ...filter, cursor: cursors.at(-1), limit: 50 }, signal);
    render(list, workflowTable(page, methods, filter), el('div', { class: 'buttons' },
      cursors.length > 0 && el('button', { onclick: () => { cursors = []; restart(); } }, 'Youngest'),
      page.next && el('button', { onclick: () => { cursors.push(page.next); restart(); } }, 'Older')));
  };
  let polling = poll(1500, load);
  const restart = () => { polling(); polling = poll(1500, load); };
  return () => polling();
}

function workflowTable(page, methods, filter) {
  if (page.workflows.length === 0) {
    if (filter.status || filter.method || page.next) return el('p', { class: 'empty' }, 'None of these here.');
    return el('p', { class: 'empty' }, methods.length ? 'No workflow has been started yet. Start one with Try, under Services.'
      : ['This application has no workflows. A method marked ', el('code', {}, '//onefold:workflow'), ' is one.']);
  }
  return el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, ['status', 'method', 'id', 'started', 'took', 'now'].map((h) => el('th', {}, h)))),
    el('tbody', {}, page.workflows.map((w) => el('tr', { key: w.id },
      el('td', {}, pill(w.status)),
      el('th', { scope: 'row' }, el('a', { href: '#/workflows/' + encodeURIComponent(w.id) }, w.method)),
      el('td', {}, el('code', {}, w.id)),
      el('td', {}, ago(date(w.started))),
      el('td', {}, duration((final(w.status) ? date(w.changed) : Date.now()) - date(w.started))),
      el('td', { class: 'now' }, doing(w)))))));
}

const pill = (status) => el('span', { class: 'pill ' + status }, status);

// doing says what a workflow waits for, or why it does not go on.
function doing(w) {
  const due = date(w.due);
  if (w.status === 'parked') return el('span', { class: 'bad' }, shorten(w.reason || 'failed too often', 90));
  if (final(w.status)) return '';
  const parts = (w.awaits || []).map((a) => 'waits for ' + a);
  if (w.failures > 0) parts.push(`failed ${w.failures}×: ${shorten(w.reason, 60)}`);
  if (due && w.status === 'suspended') return [parts.join(', '), parts.length ? ', ' : '', w.failures > 0 ? 'again ' : 'wakes ', ago(due)];
  return parts.join(', ');
}

function workflowView(root, app, id) {
  let polling = () => {};
  const act = async (what, run) => {
    try {
      await run();
      toast(what);
    } catch (err) {
      toast(err.message, true);
    }
    polling.now();
  };
  const load = async (signal) => {
    try {
      const history = await api.history(id, signal);
      render(root, workflowPage(history, app, act));
      if (final(history.status)) polling(); // nothing more happens
    } catch (err) {
      if (!(err instanceof ApiError)) throw err;
      render(root, el('h1', {}, 'Workflow'), el('p', { class: 'bad' }, `${id}: ${err.message}`));
    }
  };
  polling = poll(1000, load);
  return () => polling();
}

function workflowPage(h, app, act) {
  const ended = date(h.ended);
  const until = ended || new Date();
  return [
    el('p', { class: 'crumbs' }, el('a', { href: '#/workflows' }, 'Workflows'), ' / ',
      h.parent && [el('a', { href: '#/workflows/' + encodeURIComponent(h.parent) }, h.parent), ' / '], el('code', {}, h.id)),
    el('h1', {}, h.method, ' ', pill(h.status)),
    el('div', { class: 'buttons' }, actions(h, app, act)),
    h.reason && !final(h.status) && el('p', { class: 'card problem', role: 'alert' }, el('strong', {}, h.status === 'parked' ? 'Parked: ' : 'Failed and will be tried again: '), h.reason),
    el('section', { class: 'card' }, el('dl', { class: 'facts wide' },
      fact('started', when(date(h.started))),
      fact(ended ? 'took' : 'for', duration(until - date(h.started))),
      fact('ended', ended && when(ended)),
      fact('now', final(h.status) ? null : doing(h)),
      fact('executions', count(h.epoch)),
      fact('failures in a row', h.failures || null),
      fact('code', el('code', {}, shorten(h.code, 20)))),
    el('div', { class: 'values' },
      el('div', {}, el('h3', {}, 'Arguments'), el('pre', {}, json(h.args))),
      h.error ? el('div', {}, el('h3', {}, 'Error'), el('pre', { class: 'bad wrap' }, h.error))
        : h.status === 'completed' && el('div', {}, el('h3', {}, 'Result'), el('pre', {}, json(h.result))))),
    el('section', { class: 'card', 'aria-label': 'Steps' }, el('h2', {}, 'Steps'), stepList(h, { from: date(h.started), to: until })),
  ];
}

function actions(h, app, act) {
  const list = [];
  if (h.status === 'parked') list.push(el('button', { class: 'primary', key: 'retry', onclick: () => act('It is tried again.', () => api.retry(h.id)) }, 'Retry'));
  if (!final(h.status)) {
    list.push(el('button', { key: 'signal', onclick: () => signalForm(h, act) }, 'Send a signal'));
    list.push(el('button', { class: 'danger', key: 'cancel', onclick: async () => {
      if (await confirmed(`Cancel ${h.method}? No further step and no compensation runs.`, 'Cancel it')) act('Cancelled.', () => api.cancel(h.id));
    } }, 'Cancel'));
  }
  list.push(el('button', { key: 'export', onclick: () => exportHistory(h), title: 'for onefold replay' }, 'Export the history'));
  return list;
}

// exportHistory saves the history, as the server has it, to a file.
async function exportHistory(h) {
  const url = URL.createObjectURL(new Blob([await api.export(h.id)], { type: 'application/json' }));
  const name = `${h.method}-${h.id}.json`.replaceAll('/', '-');
  el('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function signalForm(h, act) {
  const awaited = (h.awaits || []).filter((a) => a.startsWith('signal ')).map((a) => a.slice(7));
  const name = el('input', { id: 'signal-name', required: true, autocomplete: 'off', value: awaited[0] || '', list: 'signal-names' });
  const value = el('textarea', { id: 'signal-value', rows: 4, spellcheck: 'false' }, 'null');
  const send = (e) => {
    e.preventDefault();
    act('Signal sent.', () => api.signal(h.id, name.value, value.value));
    dialog.close();
  };
  const dialog = openDialog('Signal to ' + h.method, el('form', { class: 'try', onsubmit: send },
    el('label', { for: 'signal-name' }, 'Name'), name, el('datalist', { id: 'signal-names' }, awaited.map((a) => el('option', { value: a }))),
    el('label', { for: 'signal-value' }, 'Value, as JSON'), value,
    el('div', { class: 'buttons' }, el('button', { class: 'primary', type: 'submit' }, 'Send'))));
  name.focus();
}
