// How values are shown.

const pad = (n, width) => String(n).padStart(width, '0');

// duration shows milliseconds in two units at most.
function duration(ms) {
  if (ms < 0) return '−' + duration(-ms);
  if (ms < 1) return Math.round(ms * 1000) + ' µs';
  if (ms < 10) return ms.toFixed(1) + ' ms';
  if (ms < 1000) return Math.round(ms) + ' ms';
  const s = ms / 1000;
  if (s < 10) return s.toFixed(1) + ' s';
  if (s < 60) return Math.round(s) + ' s';
  const units = [[86400, 'd'], [3600, 'h'], [60, 'm'], [1, 's']];
  let rest = Math.round(s);
  const parts = [];
  for (const [size, name] of units) {
    if (rest >= size && parts.length < 2) parts.push(Math.floor(rest / size) + name);
    else if (parts.length > 0) break;
    rest %= size;
  }
  return parts.join(' ');
}

// latency shows seconds of a histogram, - for none.
const latency = (s) => s === null ? '–' : duration(s * 1000);

// rate shows a number per second.
function rate(n) {
  if (n === 0) return '0';
  if (n < 10) return n.toFixed(1);
  return Math.round(n).toLocaleString('en');
}

const count = (n) => n.toLocaleString('en');

// clock shows a time of today as hours, another with its date.
function clock(date) {
  const time = `${pad(date.getHours(), 2)}:${pad(date.getMinutes(), 2)}:${pad(date.getSeconds(), 2)}`;
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1, 2)}-${pad(date.getDate(), 2)} ${time}`;
}

// when shows a time as an element: the clock, and how long ago as its title.
function when(date) {
  if (!date) return '–';
  const away = Date.now() - date;
  const title = date.toISOString() + (away < 0 ? `, in ${duration(-away)}` : `, ${duration(away)} ago`);
  return el('time', { datetime: date.toISOString(), title }, clock(date));
}

// ago shows how far a time is away.
function ago(date) {
  if (!date) return '–';
  const ms = Date.now() - date;
  const text = Math.abs(ms) < 1500 ? 'now' : ms < 0 ? 'in ' + duration(-ms) : duration(ms) + ' ago';
  return el('time', { datetime: date.toISOString(), title: clock(date) }, text);
}

// parseJSON is JSON.parse that keeps integers exact which a double cannot hold.
function parseJSON(text) {
  return JSON.parse(text, (_, value, context) => {
    if (typeof value === 'number' && !Number.isSafeInteger(value) && context && /^-?\d+$/.test(context.source)) {
      return BigInt(context.source);
    }
    return value;
  });
}

// compact writes a value on one line, as JSON.
function compact(v) {
  if (typeof v === 'bigint') return String(v);
  if (Array.isArray(v)) return '[' + v.map(compact).join(', ') + ']';
  if (v && typeof v === 'object') {
    return '{' + Object.entries(v).map(([k, x]) => JSON.stringify(k) + ': ' + compact(x)).join(', ') + '}';
  }
  return JSON.stringify(v);
}

// json shows a value as coloured JSON over several lines.
function json(v) { return el('code', { class: 'json' }, jsonParts(v, '')); }

function jsonParts(v, indent) {
  if (v === null) return [el('span', { class: 'null' }, 'null')];
  if (typeof v === 'string') return [el('span', { class: 'string' }, JSON.stringify(v))];
  if (typeof v !== 'object') return [el('span', { class: 'number' }, String(v))];
  const list = Array.isArray(v);
  const entries = Object.entries(v);
  const flat = entries.length === 0 || list && v.every((x) => x === null || typeof x !== 'object') || compact(v).length + indent.length <= 72;
  const inner = indent + '  ';
  const parts = entries.map(([k, x], i) => [
    flat ? (i > 0 ? ', ' : '') : (i > 0 ? ',\n' : '\n') + inner,
    list ? [] : [el('span', { class: 'name' }, JSON.stringify(k)), ': '],
    jsonParts(x, inner)]);
  return [list ? '[' : '{', parts, flat ? '' : '\n' + indent, list ? ']' : '}'].flat(Infinity);
}

// plural is "1 step" or "2 steps".
const plural = (n, noun) => count(n) + ' ' + noun + (n === 1 ? '' : 's');
