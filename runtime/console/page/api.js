// What the page asks the server for.

class ApiError extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || 'status ' + status);
    this.status = status;
  }
}

// ask sends a request and returns the reply's JSON. It throws an ApiError for a
// reply that is a problem, and asks for the token where the server wants one. The
// reply is a text if it is to be raw.
async function ask(path, { method = 'GET', body, signal, raw } = {}) {
  const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
  const token = sessionStorage.getItem('token');
  if (token) headers.Authorization = 'Bearer ' + token;
  const response = await fetch(path, { method, headers, body, signal });
  if (response.status === 401) askForToken();
  const text = await response.text();
  let value = text;
  if (!(raw && response.ok) && (response.headers.get('Content-Type') || '').includes('json')) value = parseJSON(text);
  if (!response.ok) throw new ApiError(response.status, value || {});
  return value;
}

function askForToken() {
  if (document.querySelector('dialog[aria-label="Token"]')) return;
  const input = el('input', { id: 'token', type: 'password', required: true, autocomplete: 'off' });
  openDialog('Token', el('form', { class: 'try', onsubmit: (e) => {
    e.preventDefault();
    sessionStorage.setItem('token', input.value);
    location.reload();
  } },
  el('p', {}, 'This server shows its console to those who have its token, the value of ONEFOLD_TOKEN. It is kept until this tab is closed.'),
  el('label', { for: 'token' }, 'Token'), input,
  el('div', { class: 'buttons' }, el('button', { class: 'primary', type: 'submit' }, 'Open'))));
  input.focus();
}

// query writes parameters, those apart that are empty.
function query(params) {
  const set = Object.entries(params).filter(([, v]) => v !== '' && v !== null && v !== undefined);
  return set.length ? '?' + new URLSearchParams(set) : '';
}

const root = '/_onefold/api/';
const workflowPath = (id) => root + 'workflows/' + encodeURIComponent(id);

const api = {
  app: (signal) => ask(root + 'app', { signal }),
  metrics: async (signal) => parseMetrics(await ask('/metrics', { signal })),
  state: (service, field, params, signal) => ask(root + `state/${service}/${field}` + query(params), { signal }),
  workflows: (params, signal) => ask(root + 'workflows' + query(params), { signal }),
  history: (id, signal) => ask(workflowPath(id) + '/history', { signal }),
  export: (id) => ask(workflowPath(id) + '/history', { raw: true }),
  dead: (params, signal) => ask(root + 'dead' + query(params), { signal }),
  cancel: (id) => ask(workflowPath(id) + '/cancel', { method: 'POST' }),
  retry: (id) => ask(workflowPath(id) + '/retry', { method: 'POST' }),
  signal: (id, name, body) => ask(workflowPath(id) + '/signals/' + encodeURIComponent(name), { method: 'POST', body }),
};

const date = (text) => text && !text.startsWith('0001-') ? new Date(text) : null;
