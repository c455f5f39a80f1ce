// Elements. Whatever comes from the server becomes text, never markup: nothing
// here or elsewhere parses HTML.

const svgTags = new Set(['svg', 'path', 'line', 'rect', 'circle', 'g', 'title']);

// el makes an element. Properties that begin with "on" are handlers, "key" tells
// siblings apart in morph, true is an empty attribute; null, false and undefined
// are left out, as are such children.
function el(tag, props, ...children) {
  const node = svgTags.has(tag) && tag !== 'title'
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'key') node.key = value;
    else if (name.startsWith('on')) setHandler(node, name, value);
    else node.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children.flat(3)) {
    if (child === null || child === undefined || child === false) continue;
    node.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return node;
}

function setHandler(node, name, fn) {
  node.handlers = node.handlers || {};
  node.handlers[name] = fn;
  node[name] = fn;
}

const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && a.key === b.key;

// morph makes old what fresh is, and keeps the nodes that are there, so that focus,
// selection, scroll positions and what was typed survive an update.
function morph(old, fresh) {
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !isUsers(old, name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value && !isUsers(old, name)) old.setAttribute(name, value);
  }
  for (const name of Object.keys(old.handlers || {})) {
    if (!fresh.handlers || !fresh.handlers[name]) old[name] = null;
  }
  for (const [name, fn] of Object.entries(fresh.handlers || {})) setHandler(old, name, fn);
  morphChildren(old, fresh);
}

// isUsers reports whether an attribute is the user's to change.
function isUsers(node, name) {
  return name === 'open' && (node.nodeName === 'DETAILS' || node.nodeName === 'DIALOG');
}

function morphChildren(old, fresh) {
  const keyed = new Map();
  for (const child of old.childNodes) if (child.key) keyed.set(child.key, child);
  let at = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const match = want.key ? keyed.get(want.key) : at && same(at, want) ? at : null;
    if (!match || !same(match, want)) {
      old.insertBefore(want, at);
      continue;
    }
    if (match === at) at = at.nextSibling;
    else old.insertBefore(match, at);
    morph(match, want);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

// render shows children in root.
function render(root, ...children) {
  const fresh = root.cloneNode(false);
  fresh.append(...children.flat(3).filter((c) => c));
  morphChildren(root, fresh);
}

// poll calls fn at once and then every ms while the page is visible. It returns a
// function that ends it. A slow answer delays the next call, and a failure the
// next ones more and more.
function poll(ms, fn) {
  let timer = 0, failures = 0, ended = false, running = false;
  const abort = new AbortController();
  const tick = async () => {
    clearTimeout(timer);
    if (ended || running || document.hidden) return;
    running = true;
    try {
      await fn(abort.signal);
      if (failures > 0) trouble('');
      failures = 0;
    } catch (err) {
      failures++;
      if (!ended) trouble(err instanceof ApiError ? err.message : 'The server does not answer. Trying again…');
    }
    running = false;
    timer = setTimeout(tick, Math.min(ms * 2 ** failures, 10000));
  };
  document.addEventListener('visibilitychange', tick);
  tick();
  const end = () => {
    ended = true;
    if (failures > 0) trouble('');
    abort.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', tick);
  };
  end.now = tick;
  return end;
}

// trouble says at the top of the page what is wrong, '' that all is well again.
function trouble(text) {
  const banner = document.getElementById('banner');
  banner.hidden = text === '';
  banner.textContent = text;
  document.body.classList.toggle('offline', text !== '');
}

// toast says for some seconds what happened.
function toast(text, bad) {
  const node = el('p', { class: bad ? 'toast bad' : 'toast' }, text);
  document.getElementById('toasts').append(node);
  setTimeout(() => node.remove(), bad ? 10000 : 4000);
}

// openDialog shows content in a modal dialog; a click beside it or Escape closes it.
function openDialog(label, ...content) {
  const close = () => dialog.close();
  const dialog = el('dialog', { 'aria-label': label },
    el('header', {}, el('h2', {}, label), el('button', { class: 'icon', 'aria-label': 'Close', onclick: close }, '✕')),
    ...content);
  dialog.onclick = (e) => { if (e.target === dialog) close(); };
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

// confirmed asks before something that cannot be undone.
function confirmed(question, yes) {
  return new Promise((resolve) => {
    const answer = (value) => () => { resolve(value); dialog.close(); };
    const dialog = openDialog(question,
      el('div', { class: 'buttons' },
        el('button', { class: 'danger', onclick: answer(true) }, yes),
        el('button', { onclick: answer(false), autofocus: true }, 'Keep it')));
    dialog.addEventListener('close', () => resolve(false));
  });
}
