// Live figures, from the counters at /metrics: what happened between two looks.

const history = 120; // samples kept, one a second
const recent = 60;   // seconds that latencies are taken from

const figures = { samples: [], listeners: new Set() };

// parseMetrics reads Prometheus's text format into what is counted per method.
function parseMetrics(text) {
  const sample = { at: performance.now(), methods: new Map(), totals: {} };
  for (const line of text.split('\n')) {
    const m = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (!m) continue;
    const labels = Object.fromEntries([...(m[2] || '').matchAll(/(\w+)="([^"]*)"/g)].map((x) => [x[1], x[2]]));
    if (!labels.method) sample.totals[m[1]] = (sample.totals[m[1]] || 0) + Number(m[3]);
    else addSample(sample, m[1], labels, Number(m[3]));
  }
  return sample;
}

function addSample(sample, name, labels, value) {
  const key = labels.service + '.' + labels.method;
  if (!sample.methods.has(key)) sample.methods.set(key, { count: 0, errors: 0, refused: 0, commits: 0, retries: 0, seconds: 0, buckets: [] });
  const m = sample.methods.get(key);
  switch (name) {
    case 'onefold_requests_total':
      if (Number(labels.status) >= 500) m.errors += value;
      else if (Number(labels.status) >= 400) m.refused += value;
      break;
    case 'onefold_commits_total': m.commits = value; break;
    case 'onefold_retries_total': m.retries = value; break;
    case 'onefold_request_seconds_count': m.count = value; break;
    case 'onefold_request_seconds_sum': m.seconds = value; break;
    case 'onefold_request_seconds_bucket':
      m.buckets.push({ le: labels.le === '+Inf' ? Infinity : Number(labels.le), n: value });
  }
}

const none = { count: 0, errors: 0, refused: 0, commits: 0, retries: 0, seconds: 0, buckets: [] };

// minus returns what was counted after before.
function minus(after, before) {
  const d = {};
  for (const k of ['count', 'errors', 'refused', 'commits', 'retries', 'seconds']) d[k] = after[k] - before[k];
  d.buckets = after.buckets.map((b, i) => ({ le: b.le, n: b.n - (before.buckets[i] ? before.buckets[i].n : 0) }));
  return d;
}

function plus(a, b) {
  const s = {};
  for (const k of ['count', 'errors', 'refused', 'commits', 'retries', 'seconds']) s[k] = a[k] + b[k];
  s.buckets = b.buckets.map((x, i) => ({ le: x.le, n: x.n + (a.buckets[i] ? a.buckets[i].n : 0) }));
  return s;
}

// quantile estimates a quantile in seconds, as Prometheus does: linearly within a
// bucket. It is null where nothing was counted.
function quantile(counted, q) {
  if (counted.count === 0) return null;
  const rank = q * counted.count;
  let below = 0, bound = 0;
  for (const b of counted.buckets) {
    if (b.n >= rank) {
      if (b.le === Infinity) return bound;
      return b.n === below ? b.le : bound + (b.le - bound) * (rank - below) / (b.n - below);
    }
    below = b.n;
    bound = b.le;
  }
  return bound;
}

// take adds a sample. Counters that went back belong to a new process.
function take(sample) {
  const last = figures.samples.at(-1);
  if (last && [...last.methods].some(([k, m]) => (sample.methods.get(k) || none).count < m.count)) figures.samples = [];
  figures.samples.push(sample);
  if (figures.samples.length > history) figures.samples.shift();
  for (const listener of figures.listeners) listener();
}

// before returns the youngest sample that is at least so many seconds older than the
// last, or else the oldest.
function before(seconds) {
  const last = figures.samples.at(-1);
  for (let i = figures.samples.length - 2; i >= 0; i--) {
    if (last.at - figures.samples[i].at >= seconds * 1000 - 500) return figures.samples[i];
  }
  return figures.samples[0];
}

const of = (sample, method) => sample.methods.get(method) || none;

// perSecond returns a method's requests per second lately.
function perSecond(method) {
  const last = figures.samples.at(-1), old = before(5);
  if (!last || last === old) return 0;
  return (of(last, method).count - of(old, method).count) / ((last.at - old.at) / 1000);
}

// latencies returns a method's quantiles over the last minute, or since the start
// where there was no request in it.
function latencies(method) {
  const last = figures.samples.at(-1);
  if (!last) return { p50: null, p95: null, p99: null };
  const lately = minus(of(last, method), of(before(recent), method));
  const d = lately.count > 0 ? lately : of(last, method);
  return { p50: quantile(d, 0.5), p95: quantile(d, 0.95), p99: quantile(d, 0.99), old: lately.count === 0 };
}

// series returns what value gives for each second, of all methods together.
function series(value) {
  const points = [];
  for (let i = 1; i < figures.samples.length; i++) {
    const a = figures.samples[i - 1], b = figures.samples[i];
    let sum = none;
    for (const [k, m] of b.methods) sum = plus(sum, minus(m, of(a, k)));
    points.push(value(sum, (b.at - a.at) / 1000));
  }
  return points;
}

// spark draws points as an area, the youngest at the right.
function spark(points, label) {
  const w = 240, h = 44, top = Math.max(...points.filter((p) => p !== null), 1e-9);
  const x = (i) => w - (points.length - 1 - i) * (w / (history - 2));
  const y = (p) => h - 2 - (p || 0) / top * (h - 6);
  const line = points.map((p, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${y(p).toFixed(1)}`).join('');
  const area = points.length ? `${line}L${w} ${h}L${x(0).toFixed(1)} ${h}Z` : '';
  return el('svg', { class: 'spark', viewBox: `0 0 ${w} ${h}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    el('path', { class: 'area', d: area }), el('path', { class: 'line', d: line }));
}
