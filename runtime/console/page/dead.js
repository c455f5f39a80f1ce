// Dead letters: workflows and messages that failed too often, or do not fit their code.

function deadView(root) {
  const list = el('div', {});
  let cursors = [], polling = () => {};
  render(root, el('h1', {}, 'Dead letters'), el('section', { class: 'card' }, list));
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
    const page = await api.dead({ cursor: cursors.at(-1), limit: 50 }, signal);
    if (cursors.length === 0) countDead(page);
    render(list, deadTable(page, act), el('div', { class: 'buttons' },
      cursors.length > 0 && el('button', { onclick: () => { cursors = []; restart(); } }, 'Oldest'),
      page.next && el('button', { onclick: () => { cursors.push(page.next); restart(); } }, 'Younger')));
  };
  const restart = () => { polling(); polling = poll(1500, load); };
  restart();
  return () => polling();
}

function deadTable(page, act) {
  if (page.dead.length === 0) return el('p', { class: 'empty' }, 'None. What fails too often is parked here, to be retried or cancelled.');
  return el('div', { class: 'scroll' }, el('table', {},
    el('thead', {}, el('tr', {}, el('th', {}, 'parked'), el('th', {}, 'what'), el('th', {}, 'why'), el('th', { class: 'n' }, 'failures'), el('th', {}))),
    el('tbody', {}, page.dead.map((d) => el('tr', { key: d.id },
      el('td', {}, ago(date(d.parked))),
      el('th', { scope: 'row' }, d.message ? [d.method, el('span', { class: 'params' }, ' message')] : el('a', { href: '#/workflows/' + encodeURIComponent(d.id) }, d.method),
        el('code', { class: 'under' }, d.id), d.from && el('code', { class: 'under' }, 'from ' + d.from)),
      el('td', { class: 'bad reason' }, d.reason),
      el('td', { class: 'n' }, d.failures),
      el('td', { class: 'n buttons' },
        el('button', { class: 'small primary', 'aria-label': `Retry ${d.method} ${d.id}`, onclick: () => act('It is tried again.', () => api.retry(d.id)) }, 'Retry'),
        el('button', { class: 'small danger', 'aria-label': `Cancel ${d.method} ${d.id}`, onclick: async () => {
          const question = d.message ? `Throw the message to ${d.method} away?` : `Cancel ${d.method}? No further step and no compensation runs.`;
          if (await confirmed(question, d.message ? 'Throw it away' : 'Cancel it')) act('Cancelled.', () => api.cancel(d.id));
        } }, d.message ? 'Discard' : 'Cancel')))))));
}
