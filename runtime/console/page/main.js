// The frame: navigation, and which view is shown.

const views = [
  { path: 'services', title: 'Services', show: servicesView },
  { path: 'workflows', title: 'Workflows', durable: true, show: (root, app, id) => id ? workflowView(root, app, id) : workflowsView(root, app) },
  { path: 'dead', title: 'Dead letters', durable: true, show: deadView },
  { path: 'state', title: 'State', show: stateView },
];

const frame = { app: null, leave: null, view: null, dead: 0 };

// shown returns the views there are: an application without workflows has some less.
const shown = () => views.filter((v) => !v.durable || frame.app && frame.app.workflows);

function showTop(current) {
  const { app } = frame;
  render(document.getElementById('top'),
    el('strong', { class: 'brand' }, app ? app.name : 'onefold'),
    el('nav', { 'aria-label': 'Console' }, shown().map((v) =>
      el('a', { href: '#/' + v.path, 'aria-current': v === current ? 'page' : null }, v.title,
        v.path === 'dead' && frame.dead !== 0 && el('span', { class: 'badge' }, frame.dead)))),
    el('a', { class: 'side', href: '/openapi.json' }, 'OpenAPI'),
    el('a', { class: 'side', href: '/metrics' }, 'Metrics'));
}

// navigate shows the view that the address names.
function navigate() {
  const [path, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  const view = shown().find((v) => v.path === path) || views[0];
  if (frame.leave) frame.leave();
  const root = document.getElementById('main');
  root.replaceChildren();
  document.title = `${view.title} · ${frame.app.name} · onefold`;
  showTop(view);
  frame.view = view;
  frame.leave = view.show(root, frame.app, decodeURIComponent(rest.join('/')));
}

function begin() {
  showTop(null);
  const first = poll(1000, async () => {
    frame.app = await api.app();
    first();
    window.addEventListener('hashchange', () => { navigate(); document.getElementById('main').focus(); });
    navigate();
    poll(1000, async (signal) => take(await api.metrics(signal)));
    poll(5000, refresh);
  });
}

// refresh finds out about new dead letters and new code.
async function refresh(signal) {
  const app = await api.app(signal);
  if (app.version !== frame.app.version) {
    frame.app = app;
    navigate();
    toast('The application has changed.');
  }
  if (app.workflows) countDead(await api.dead({ limit: 100 }, signal));
}

function countDead(page) {
  frame.dead = page.next ? page.dead.length + '+' : page.dead.length;
  showTop(frame.view);
}

begin();
