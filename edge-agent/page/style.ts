/** Of the agent's page: large enough for a thumb and readable in the sun. */
export const STYLE = `
:root{color-scheme:light dark;--line:#8886;--good:#157a3c;--bad:#b3261e;--accent:#0b5cad}
@media (prefers-color-scheme:dark){:root{--good:#6fd08c;--bad:#ff8a80;--accent:#7db8ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:40rem;padding:0 .75rem 3rem;font:1rem/1.4 system-ui,sans-serif}
header{display:flex;justify-content:space-between;align-items:center;gap:.5rem;padding:.5rem 0}
h1{font-size:1.15rem;margin:0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:1.5rem 0 .5rem;border-bottom:1px solid var(--line);padding-bottom:.25rem}
h3{font-size:1rem;margin:.75rem 0 .25rem}
table{width:100%;border-collapse:collapse}
td{padding:.3rem .25rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere;vertical-align:top}
td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad)}.dim{opacity:.75;font-size:.875rem}
form{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.5rem;align-items:end;margin:.5rem 0}
label{display:grid;gap:.15rem;font-size:.875rem}
input,select,textarea,button{font:inherit;min-height:2.75rem;padding:.4rem .6rem;border:1px solid var(--line);border-radius:.4rem;background:Canvas;color:CanvasText;width:100%}
button{width:auto;background:var(--accent);color:Canvas;border:0;font-weight:600;padding:.4rem 1rem}
button:disabled{opacity:.5}
button.stop{background:var(--bad);width:100%;min-height:3.5rem;font-size:1.15rem}
#language{background:none;color:var(--accent);border:1px solid var(--line)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.25rem 0;font-size:.85rem}
[role=status]{min-height:1.4em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`
