// The services, with what their methods do now.

function servicesView(root, app) {
  const update = () => render(root, el('h1', {}, 'Services'), tiles(), app.services.map((s) => serviceCard(s)));
  figures.listeners.add(update);
  update();
  return () => figures.listeners.delete(update);
}

// tiles are the figures of the whole application.
function tiles() {
  const last = figures.samples.at(-1);
  if (!last) return el('p', { class: 'empty' }, 'Waiting for the first figures…');
  const requests = series((d, s) => d.count / s);
  const p95 = series((d) => quantile(d, 0.95));
  const old = before(recent);
  let lately = none, total = none;
  for (const [k, m] of last.methods) {
    lately = plus(lately, minus(m, of(old, k)));
    total = plus(total, m);
  }
  const shown = lately.count > 0 ? lately : total;
  return el('section', { class: 'tiles', 'aria-label': 'The whole application' },
    tile('requests/s', rate(requests.length ? average(requests.slice(-5)) : 0), `${count(total.count)} since the start`, spark(requests, 'requests per second, the last two minutes')),
    tile('latency p95', latency(quantile(shown, 0.95)), `p50 ${latency(quantile(shown, 0.5))}, p99 ${latency(quantile(shown, 0.99))}`, spark(p95, 'latency p95, the last two minutes')),
    tile('failed', count(total.errors), `${count(total.refused)} refused by a method or as malformed`),
    tile('conflicts', count(last.totals.onefold_conflicts_total || 0), `${count(total.retries)} tried again, ${count(last.totals.onefold_in_flight || 0)} under way`));
}

const average = (list) => list.reduce((a, b) => a + b, 0) / list.length;

const tile = (label, value, more, chart) => el('div', { class: 'tile' },
  el('span', { class: 'label' }, label), el('strong', {}, value), el('span', { class: 'more' }, more), chart);

function serviceCard(service) {
  return el('section', { class: 'card', key: service.name, 'aria-label': service.name },
    el('h2', {}, service.name,
      service.fields.map((f) => el('a', { class: 'field', href: `#/state/${service.name}.${f.name}`, title: f.type }, f.name))),
    el('div', { class: 'scroll' }, el('table', { class: 'methods' },
      el('thead', {}, el('tr', {},
        el('th', {}, 'method'), el('th', {}, 'kind'), ['req/s', 'p50', 'p95', 'p99', 'requests', 'failed'].map((h) => el('th', { class: 'n' }, h)), el('th', {}))),
      el('tbody', {}, service.methods.map((m) => methodRow(service, m))))));
}

function methodRow(service, method) {
  const name = `${service.name}.${method.name}`;
  const last = figures.samples.at(-1);
  const total = last ? of(last, name) : none;
  const l = latencies(name);
  const quantiles = [l.p50, l.p95, l.p99].map((s) =>
    el('td', { class: l.old ? 'n old' : 'n', title: l.old ? 'since the start' : 'the last minute' }, latency(s)));
  return el('tr', { key: name },
    el('th', { scope: 'row' }, method.name, ' ', el('span', { class: 'params' }, `(${method.params.join(', ')})`)),
    el('td', {}, el('span', { class: 'kind ' + method.kind }, method.kind)),
    el('td', { class: 'n' }, rate(perSecond(name))), quantiles,
    el('td', { class: 'n' }, count(total.count)),
    el('td', { class: total.errors ? 'n bad' : 'n', title: `${count(total.refused)} refused` }, count(total.errors)),
    el('td', { class: 'n' }, el('button', { class: 'small', onclick: () => tryMethod(service, method), 'aria-label': `Try ${name}` }, 'Try')));
}
