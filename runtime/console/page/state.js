// The state browser.

function stateView(root, app, chosen) {
  const fields = app.services.flatMap((s) => s.fields.map((f) => ({ service: s.name, name: f.name, type: f.type, id: `${s.name}.${f.name}` })));
  const field = fields.find((f) => f.id === chosen);
  let from = '', cursors = [], page = null, problem = '';
  const input = el('input', { id: 'from', type: 'search', placeholder: 'from the beginning', autocomplete: 'off' });
  const search = el('form', { class: 'filters', onsubmit: (e) => { e.preventDefault(); from = input.value; cursors = []; reload(); } },
    el('label', { for: 'from' }, 'Keys from'), input, el('button', { type: 'submit' }, 'Go'));
  const rows = el('div', {});
  const update = () => render(rows, fieldRows(page, problem, {
    first: cursors.length > 0 && (() => { cursors = []; reload(); }),
    next: page && page.next && (() => { cursors.push(page.next); reload(); }),
  }));
  const load = async (signal) => {
    try {
      page = await api.state(field.service, field.name, { from, cursor: cursors.at(-1), limit: 50 }, signal);
      problem = '';
    } catch (err) {
      if (!(err instanceof ApiError)) throw err;
      problem = err.message;
    }
    update();
  };
  const keyed = field && /^(map)?\[/.test(field.type);
  render(root, el('h1', {}, 'State'), el('div', { class: 'split' },
    el('nav', { class: 'card list', 'aria-label': 'Fields' }, fieldList(app, chosen)),
    field ? el('section', { class: 'card' }, el('h2', {}, field.id, el('code', { class: 'type' }, field.type)), keyed && search, rows)
      : el('p', { class: 'empty' }, fields.length ? 'Choose a field.' : 'No service of this application has persistent fields.')));
  if (!field) return () => {};
  let polling = poll(2000, load);
  const reload = () => { polling(); polling = poll(2000, load); };
  return () => polling();
}

function fieldList(app, chosen) {
  return app.services.filter((s) => s.fields.length).map((s) => [el('h2', {}, s.name), el('ul', {}, s.fields.map((f) => {
    const id = `${s.name}.${f.name}`;
    return el('li', {}, el('a', { href: '#/state/' + id, 'aria-current': id === chosen ? 'page' : null }, f.name, el('code', { class: 'type' }, f.type)));
  }))]);
}

function fieldRows(page, problem, go) {
  if (problem) return el('p', { class: 'bad' }, problem);
  if (!page) return el('p', { class: 'empty' }, 'Reading…');
  if (page.rows.length === 0) return el('p', { class: 'empty' }, 'Nothing here.');
  if (page.rows.length === 1 && page.rows[0].key === null) return el('pre', {}, json(page.rows[0].value));
  return [
    el('div', { class: 'scroll' }, el('table', { class: 'state' },
      el('thead', {}, el('tr', {}, el('th', {}, 'key'), el('th', {}, 'value'))),
      el('tbody', {}, page.rows.map((r) => {
        const key = typeof r.key === 'string' ? r.key : compact(r.key);
        return el('tr', { key: 'k' + key }, el('th', { scope: 'row' }, key === '' ? '""' : key), el('td', {}, el('pre', {}, json(r.value))));
      })))),
    (go.first || go.next) && el('div', { class: 'buttons' },
      go.first && el('button', { onclick: go.first }, 'First page'),
      go.next && el('button', { onclick: go.next }, 'Next page')),
  ];
}
