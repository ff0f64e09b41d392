/** What the benchmark's page adds to the style sheet of all pages: a colour a method, panels of plots, the heat map. */
export const benchmarkStyle = `
:root{--m1:#0b7285;--m2:#d9480f;--m3:#5f3dc4;--m4:#2b8a3e;--m5:#c2255c;--m6:#8a6d00;--m7:#1864ab;--m8:#5b646d;--both:#40dc6e;--only:#ff483c;--missed:#ffd628}
@media (prefers-color-scheme:dark){:root{--m1:#4fc3d9;--m2:#ff922b;--m3:#b197fc;--m4:#69db7c;--m5:#faa2c1;--m6:#e0c341;--m7:#74c0fc;--m8:#9aa5ad}}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr));gap:26px 40px;align-items:start}
.panel{min-width:0}.panel h3{margin:0 0 4px}.panel svg{display:block;width:100%;max-width:560px;height:auto;color:var(--ink)}
.panel figcaption{max-width:60ch}
.key-line{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.88rem;margin:0 0 14px}.key-line svg{width:13px;height:13px;vertical-align:-1px;margin-right:6px;overflow:visible}
.scroll.free{max-height:none}.list.fit{min-width:0}.list .ci{display:block;color:var(--soft);font-size:.8rem}
.list .way{color:var(--soft);font-weight:400}
.list tbody th{white-space:nowrap}.list.measures tbody th{white-space:normal;min-width:14ch}
.list td.long{white-space:normal}.list th.c{text-align:center;padding-inline:8px}
.heat td,.heat tbody th{padding-block:4px}.heat td.h{text-align:center;padding:4px 8px;background:color-mix(in srgb,var(--accent) calc(var(--v)*62%),var(--panel));border-left:1px solid var(--panel)}
.heat td.h.none{background:repeating-linear-gradient(45deg,var(--panel) 0 5px,var(--line) 5px 10px)}.heat td.h a{text-decoration:none}.heat td.h a:hover{text-decoration:underline}
.heat tbody th{position:sticky;left:0;background:var(--panel);font-weight:550}
.pictures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:22px}
.pictures img{display:block;width:100%;height:auto;border-radius:4px;background:#000}
.swatch{display:inline-block;width:1.1em;height:.28em;margin-right:.5em;vertical-align:.22em;border-radius:1px}
.methods{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:10px 48px}
.list td.long{min-width:22ch}.panels+.scroll,.scroll+h3,.panels+h3{margin-top:22px}.scroll+h3{margin-bottom:10px}
.ranks{width:100%;max-width:560px;overflow:visible}.ranks path{fill:none;stroke:currentColor;stroke-width:1.2}.ranks .bar-line{stroke-width:5;stroke:var(--accent);opacity:.8}.ranks text{fill:currentColor;font-size:11.5px}
@media print{.panels,.pictures{grid-template-columns:1fr 1fr}}
`
