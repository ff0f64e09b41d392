/** The report's style sheet: light and dark by the reader's setting, paper in print, one column on a phone. */
export const style = `
:root{
 --paper:#fbfbf9;--panel:#fff;--ink:#191d21;--soft:#5b646d;--line:#dfe2e0;--accent:#0b6e6e;
 --periventricular:#f0743a;--juxtacortical:#21a7c4;--infratentorial:#b07be0;--subcortical:#d7ae12;
 --brain:#6b7780;--lesion:#d4511a;
 --serious:#b3261e;--warning:#9a5b00;--info:#3a6489;
}
@media (prefers-color-scheme:dark){:root{
 --paper:#101315;--panel:#171b1e;--ink:#e7eaec;--soft:#9aa5ad;--line:#2a3035;--accent:#5cc5c0;
 --periventricular:#ff8a52;--juxtacortical:#43c9e6;--infratentorial:#c79bf2;--subcortical:#f2d03b;
 --brain:#8d9aa4;--lesion:#ff8a52;
 --serious:#ff8a80;--warning:#f0b660;--info:#8fbbe0;
}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
header,.page,footer{width:min(100% - 2*clamp(16px,3vw,40px),1240px);margin:0 auto}
header{display:flex;flex-wrap:wrap;align-items:end;justify-content:space-between;gap:12px 32px;padding-block:28px 20px;border-bottom:1px solid var(--line)}
h1{font-size:clamp(1.5rem,3.5vw,2.1rem);line-height:1.15;letter-spacing:-.02em;margin:2px 0 6px;font-weight:650}
.mark{margin:0;color:var(--accent);font-weight:650;letter-spacing:.09em;text-transform:uppercase;font-size:.75rem}
.facts-line{margin:0;color:var(--soft);font-size:.9rem}
.research{margin:0;padding:5px 12px;border:1px solid var(--warning);color:var(--warning);border-radius:999px;font-size:.85rem;font-weight:600}
nav{display:none}
main{min-width:0}
section{padding-block:30px;border-bottom:1px solid var(--line);scroll-margin-top:8px}
section:last-child{border:0}
h2{font-size:1.22rem;letter-spacing:-.01em;line-height:1.25;margin:0 0 4px;font-weight:650}
h3{font-size:.95rem;margin:26px 0 6px;font-weight:650}
h3:first-child{margin-top:0}
p{margin:0 0 10px}
.lead{color:var(--soft);max-width:72ch;margin-bottom:16px;font-size:.93rem}
.stats{display:flex;flex-wrap:wrap;gap:1px;background:var(--line);border:1px solid var(--line);border-radius:8px;overflow:hidden;margin:14px 0 20px}
.stat{flex:1 1 140px;background:var(--panel);padding:16px 18px}
.stat b{display:inline-block;font-size:clamp(1.9rem,5vw,2.6rem);line-height:1;font-weight:600;letter-spacing:-.03em;margin-right:7px}
.stat span{font-size:1rem;color:var(--soft)}
.stat small{display:block;color:var(--soft);margin-top:8px;font-size:.8rem}
.bar{display:flex;gap:2px;height:10px;border-radius:5px;overflow:hidden;margin-bottom:12px}
.bar .fill{flex-basis:0}
.periventricular{--c:var(--periventricular)}.juxtacortical{--c:var(--juxtacortical)}.infratentorial{--c:var(--infratentorial)}.subcortical{--c:var(--subcortical)}
.dot.brain{--c:var(--brain)}.dot.lesion{--c:var(--lesion)}
.fill{background:var(--c)}
.dot{display:inline-block;width:.66em;height:.66em;border-radius:50%;background:var(--c);margin-right:.55em;vertical-align:.02em}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:7px 12px 7px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:baseline}
th{font-weight:550}thead th{color:var(--soft);font-size:.8rem;font-weight:550;line-height:1.25;vertical-align:bottom}
.n{text-align:right}th:last-child,td:last-child{padding-right:0}.by td:first-child{padding-left:1.25em;text-indent:-1.25em}.by .dot{text-indent:0}
tbody tr:last-child>*{border-bottom:0}
.scroll{overflow:auto;max-height:520px;border:1px solid var(--line);border-radius:8px;background:var(--panel)}
.list{min-width:660px}.list th,.list td{padding:6px 14px}.list td{white-space:nowrap}.list th:last-child,.list td:last-child{padding-right:14px}
.list thead th{position:sticky;top:0;background:var(--panel);box-shadow:inset 0 -1px var(--line);border:0}
.list tbody tr:hover{background:color-mix(in srgb,var(--accent) 9%,transparent)}
.list button{all:unset;cursor:pointer}.list button:hover{color:var(--ink)}.list button:focus-visible{outline:2px solid var(--accent);outline-offset:3px}
.list [aria-sort] button{color:var(--ink)}.list [aria-sort=ascending] button::after{content:" ↑"}.list [aria-sort=descending] button::after{content:" ↓"}
.flags{list-style:none;margin:0;padding:0;display:grid;gap:8px}
.flags li{display:grid;grid-template-columns:5.2rem 1fr;gap:4px 14px;padding:10px 14px;background:var(--panel);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:6px;font-size:.93rem}
.flags b{color:var(--tone);font-weight:650}.serious{--tone:var(--serious)}.warning{--tone:var(--warning)}.info{--tone:var(--info)}
code{font:.8em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft);white-space:nowrap}
.fine{color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;font-size:.88rem;margin-bottom:12px}
.ramp{display:inline-block;width:120px;height:.7em;margin:0 .7em;border-radius:3px;background:linear-gradient(90deg,#2b3cb4,#d63e6c,#ffde50)}
figure{margin:0}figcaption{font-size:.82rem;color:var(--soft);margin-top:6px}
.slice{display:block;width:100%;height:auto;background:#000;border-radius:3px;overflow:hidden}
.edge{fill:none;stroke:var(--c);stroke-width:1.5px;vector-effect:non-scaling-stroke;stroke-linecap:square}
.slice .csf{--c:#5aa9ff}.slice .gm{--c:#7ddc7d}.slice .wm{--c:#ffd166}.dot.csf{--c:#5aa9ff}.dot.gm{--c:#7ddc7d}.dot.wm{--c:#ffd166}
.edge.brain{stroke:#7fb0d8;stroke-width:.7px;opacity:.75}.edge.brain.strong,.montage .edge.brain.strong{stroke:#ff6b5a;stroke-width:1.1px;opacity:1}
.slice .periventricular{--c:#ff8a52}.slice .juxtacortical{--c:#43c9e6}.slice .infratentorial{--c:#d3a6ff}.slice .subcortical{--c:#ffe04a}
.letter,.note{fill:#fff;font-size:8px;font-weight:600;paint-order:stroke;stroke:#000;stroke-width:1.4px;stroke-linejoin:round;font-family:inherit}
.letter{text-anchor:middle;dominant-baseline:central;opacity:.92}.note{font-size:11px;opacity:.85;font-weight:500}
.key{display:grid;gap:18px}
.key .pair{display:grid;grid-template-columns:1fr 1fr;gap:4px}.key figcaption{grid-column:1/-1;margin-top:2px}
.close{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:16px}
.close .pair{display:grid;grid-template-columns:1fr 1fr;gap:3px}.close figcaption{grid-column:1/-1;margin-top:2px}
.montage{display:grid;grid-template-columns:repeat(3,1fr);gap:3px}
.montage .slice{border-radius:2px}.montage .edge{stroke-width:1.1px}.montage .edge.brain{stroke-width:.6px}
.boards{display:grid;gap:14px}
.plot{overflow-x:auto}.plot svg{max-width:100%;height:auto;min-width:320px;display:block;color:var(--ink)}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(300px,100%),1fr));gap:20px 28px}.plots.volumes{grid-template-columns:repeat(auto-fill,minmax(min(400px,100%),1fr))}
.plots svg{min-width:0;width:100%}.plots figcaption{color:var(--ink);font-size:.88rem;font-weight:550;margin:0 0 2px}.plots .fine{font-weight:400}
.stat b.words{font-size:1.45rem;line-height:1.2;letter-spacing:-.01em}
.whole{max-height:none}.list tbody th{font-weight:450;white-space:nowrap}.list.wide th:first-child{position:sticky;left:0;background:var(--panel);z-index:1}.list.wide{border-collapse:separate;border-spacing:0}.list.wide thead th{min-width:6.4em}.list.wide thead th:first-child{z-index:2;min-width:0}.whole .wide tbody th{white-space:normal;min-width:min(9em,36vw)}@media(max-width:600px){.whole .wide tbody th{max-width:38vw}}
.list.wide .group th{position:static;color:var(--soft);font-size:.8rem;padding-top:16px;white-space:normal}.missing>*{color:var(--soft)}.facts .place{width:2.2em;padding-right:14px}
.cite{color:var(--soft);font-size:.92rem}
blockquote{margin:0;padding:12px 16px;background:var(--panel);border:1px solid var(--line);border-radius:6px;font-size:.95rem;max-width:80ch}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(280px,1fr));gap:8px 48px;margin-top:26px}
.facts{font-size:.88rem}.facts th{font-weight:450;position:relative}.facts small{display:block;color:var(--soft);font-size:.82rem;max-width:46ch}
.facts .time{display:block;height:3px;border-radius:2px;background:var(--accent);opacity:.55;margin-top:4px}
.by .sum>*,.facts .sum>*{font-weight:650}.version{color:var(--soft);font-size:.85rem;margin-top:24px}
.printonly{display:none}
footer{color:var(--soft);font-size:.82rem;padding-block:18px 40px;border-top:1px solid var(--line)}
a{color:inherit}
@media (min-width:760px){
 .key,.boards{grid-template-columns:var(--a) var(--c) var(--s);gap:6px}
 .key .pair{grid-template-columns:1fr;gap:6px;align-content:start}
 .montage{grid-template-columns:repeat(6,1fr)}
}
@media (min-width:1160px){
 .montage{grid-template-columns:repeat(9,1fr)}
 .page{display:grid;grid-template-columns:176px minmax(0,1fr);gap:48px}
 nav{display:block;position:sticky;top:0;align-self:start;padding-top:32px;font-size:.88rem}
 nav ol{list-style:none;margin:0;padding:0;display:grid;gap:9px}nav a{text-decoration:none;color:var(--soft)}nav a:hover{color:var(--accent)}
 #result{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);column-gap:48px}#result h2,#result .stats{grid-column:1/-1}
 #result .bar{grid-column:1/-1}#result .by{grid-column:1/-1}
}
@media print{
 :root{--paper:#fff;--panel:#fff;--ink:#000;--soft:#444;--line:#ccc;--accent:#0b6e6e;--periventricular:#e0631f;--juxtacortical:#1593b0;--infratentorial:#9a5fd0;--subcortical:#c39b00;--brain:#6b7780;--lesion:#d4511a;--serious:#b3261e;--warning:#8a5200;--info:#2f5878}
 @page{margin:14mm}
 body{font-size:10.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
 header,.page,footer{width:auto}.page{display:block}nav{display:none}
 section{padding-block:14px;break-inside:avoid}#lesions,#method{break-inside:auto}h2{break-after:avoid}.lead{break-after:avoid}
 figure,.stats,.flags li,tr,.by,blockquote,.plot{break-inside:avoid}
 .key,.boards{grid-template-columns:var(--a) var(--c) var(--s);gap:4px}.key .pair{grid-template-columns:1fr}
 .montage{grid-template-columns:repeat(6,1fr)}.montage .slice{break-inside:avoid}.close{grid-template-columns:repeat(3,1fr)}
 .scroll{max-height:none;overflow:visible;border:0}.list{min-width:0;font-size:8.5pt}.list th,.list td{padding:3px 6px}.list thead th{position:static;box-shadow:none}.list button{font:inherit}
 .list tbody tr:nth-child(n+61){display:none}.printonly{display:block}
}
`
