#include "common/server/status_page.h"

namespace tinykv {

const char kStatusPage[] = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>TinyKV</title>
<style>
  :root { color-scheme: light dark; --line: #8883; --faint: #888; --good: #1a9c5b; --bad: #d1493f; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2.5rem auto;
         padding: 0 1rem; }
  header { display: flex; align-items: baseline; gap: .75rem; flex-wrap: wrap; }
  h1 { font-size: 1.5rem; margin: 0; }
  h2 { font-size: 1rem; margin: 2rem 0 .4rem; }
  #state { padding: .1rem .7rem; border-radius: 1rem; color: #fff; background: var(--faint); }
  #state.good { background: var(--good); }
  #state.bad { background: var(--bad); }
  .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem;
           margin-top: 1.5rem; }
  .tile { border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem; }
  .tile b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums; }
  .name, footer { color: var(--faint); }
  table { border-collapse: collapse; width: 100%; }
  td { border-top: 1px solid var(--line); padding: .25rem 0; vertical-align: top; }
  td:last-child { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
  footer { margin-top: 2.5rem; }
</style>
<header><h1 id="title">TinyKV</h1><span id="state">…</span></header>
<div class="tiles" id="tiles"></div>
<div id="tables"></div>
<footer><a href="/status">/status</a> as JSON &middot;
<a href="/metrics">/metrics</a> for Prometheus
&middot; refreshed every second</footer>
<script>
  const at = id => document.getElementById(id);
  const words = key => key.replace(/_(seconds|bytes)$/, '').replaceAll('_', ' ');
  const isObject = value => value !== null && typeof value === 'object';
  function bytes(value) {
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
    let unit = 0;
    while (value >= 1024 && unit + 1 < units.length) { value /= 1024; ++unit; }
    return value.toFixed(unit && value < 100 ? 1 : 0) + ' ' + units[unit];
  }
  function seconds(value) {
    const days = Math.floor(value / 86400);
    return (days ? days + ' d ' : '') + new Date(value % 86400 * 1000).toISOString().slice(11, 19);
  }
  function show(key, value) {
    if (key.endsWith('_bytes')) return bytes(value);
    if (key.endsWith('_seconds')) return seconds(value);
    return typeof value === 'number' && key !== 'pid' ? value.toLocaleString('en') : String(value);
  }
  function make(tag, text, className) {
    const element = document.createElement(tag);
    if (text !== undefined) element.textContent = text;
    if (className) element.className = className;
    return element;
  }
  function tile(key, value) {
    const element = make('div', undefined, 'tile');
    element.append(make('span', words(key), 'name'), make('b', show(key, value)));
    return element;
  }
  // The leaves of an object, nested ones with the path to them: levels / 0 / tables.
  function rows(object, path) {
    return Object.entries(object).flatMap(([key, value]) => {
      if (isObject(value)) return rows(value, path + words(key) + ' / ');
      const row = make('tr');
      row.append(make('td', path + words(key)), make('td', show(key, value)));
      return [row];
    });
  }
  function table(title, object) {
    const element = make('table');
    element.append(...rows(object, ''));
    return [make('h2', title), element];
  }
  function render(status) {
    at('title').textContent = document.title = (status.program || 'TinyKV') + ' ' + status.version;
    at('state').textContent = status.serving ? 'serving' : 'not serving';
    at('state').className = status.serving ? 'good' : 'bad';
    const tiles = ['uptime_seconds', 'requests_in_flight', 'stage'].filter(key => key in status);
    at('tiles').replaceChildren(...tiles.map(key => tile(key, status[key])));
    const server = Object.entries(status).filter(([key, value]) => !isObject(value) &&
        !tiles.includes(key) && !['serving', 'program', 'version'].includes(key));
    const parts = Object.entries(status).filter(([, value]) => isObject(value));
    at('tables').replaceChildren(...table('Server', Object.fromEntries(server)),
        ...parts.flatMap(([key, value]) => table(words(key), value)));
  }
  async function refresh() {
    try {
      render(await (await fetch('/status')).json());
    } catch {
      at('state').textContent = 'not reachable';
      at('state').className = 'bad';
    }
    setTimeout(refresh, 1000);
  }
  refresh();
</script>
</html>
)html";

}  // namespace tinykv
