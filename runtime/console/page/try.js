// The form that calls a method.

function tryMethod(service, method) {
  const path = `/${service.name}/${method.name}`;
  const durable = method.kind === 'workflow';
  const body = el('textarea', { id: 'try-body', rows: 6, spellcheck: 'false', autocomplete: 'off' }, pretty(method.example));
  const key = el('input', { id: 'try-key', autocomplete: 'off', placeholder: 'none: every request is a new one' });
  const detached = el('input', { type: 'checkbox', id: 'try-async', checked: durable });
  const out = el('div', { class: 'reply', 'aria-live': 'polite' });
  const send = async (e) => {
    e.preventDefault();
    button.disabled = true;
    await call(path, body.value, key.value, durable && detached.checked, out);
    button.disabled = false;
  };
  const button = el('button', { class: 'primary', type: 'submit' }, 'Send');
  const form = el('form', { class: 'try', onsubmit: send },
    el('label', { for: 'try-body' }, 'Body'), body,
    el('label', { for: 'try-key' }, 'Idempotency-Key'),
    el('span', { class: 'joined' }, key,
      el('button', { type: 'button', onclick: () => { key.value = crypto.randomUUID(); } }, 'Make one')),
    durable && el('label', { class: 'check' }, detached, ' answer at once, run in the background'),
    el('div', { class: 'buttons' }, button,
      el('button', { type: 'button', onclick: () => copy(curl(path, body.value, key.value, durable && detached.checked)) }, 'Copy as curl'),
      el('span', { class: 'hint' }, 'Ctrl+Enter sends')),
    out);
  form.onkeydown = (e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) form.requestSubmit(); };
  openDialog('POST ' + path, form);
  body.focus();
}

// pretty puts each parameter on a line of its own.
function pretty(text) {
  const members = Object.entries(parseJSON(text));
  if (members.length === 0) return '{}';
  return '{\n' + members.map(([k, v]) => `  ${JSON.stringify(k)}: ${compact(v)}`).join(',\n') + '\n}';
}

// call sends the request and shows the reply.
async function call(path, body, key, detached, out) {
  const headers = { 'Content-Type': 'application/json' };
  if (key) headers['Idempotency-Key'] = key;
  if (detached) headers.Prefer = 'respond-async';
  const start = performance.now();
  try {
    const response = await fetch(path, { method: 'POST', headers, body });
    const text = await response.text();
    showReply(out, response, text, performance.now() - start);
  } catch (err) {
    render(out, el('p', { class: 'bad' }, 'No answer: ' + err.message));
  }
}

function showReply(out, response, text, ms) {
  let value;
  try { value = json(parseJSON(text)); } catch { value = el('code', {}, text); }
  const workflow = response.headers.get('Onefold-Workflow');
  const replayed = response.headers.get('Onefold-Replayed') === 'true';
  render(out,
    el('p', {}, el('span', { class: response.ok ? 'pill completed' : 'pill failed' }, `${response.status} ${response.statusText}`.trim()),
      ' ', duration(ms), replayed && el('span', { class: 'pill' }, 'replayed'),
      workflow && [' ', el('a', { href: '#/workflows/' + encodeURIComponent(workflow), onclick: (e) => e.target.closest('dialog').close() }, 'Open the workflow')]),
    el('pre', {}, value));
}

const quoted = (s) => `'${s.replaceAll("'", `'\\''`)}'`;

function curl(path, body, key, detached) {
  const headers = ["-H 'Content-Type: application/json'"];
  if (key) headers.push('-H ' + quoted('Idempotency-Key: ' + key));
  if (detached) headers.push("-H 'Prefer: respond-async'");
  return `curl ${headers.join(' ')} -d ${quoted(body)} ${location.origin}${path}`;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied.');
  } catch {
    openDialog('Copy this', el('pre', { class: 'wrap' }, text));
  }
}
