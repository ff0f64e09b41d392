import type { CaseView } from './case-view.js'
import { isRadiological, keepRadiological } from './convention.js'
import { h, themeButton } from './dom.js'
import { type Tool, toolNames } from './drawing.js'
import { help } from './help.js'
import { raterButton } from './rater.js'
import type { Layout } from './viewer.js'

const layoutNames: Readonly<Record<Layout, string>> = {
  planes: 'All',
  axial: 'Axial',
  coronal: 'Coronal',
  sagittal: 'Sagittal',
  '3d': '3-D',
}

/** The two bars above the picture. */
export class CaseBars {
  readonly element: HTMLElement
  private readonly undoButton = h('button', { title: 'Ctrl+Z', onclick: () => this.view.undo() }, 'Undo')
  private readonly redoButton = h('button', { title: 'Ctrl+Y', onclick: () => this.view.redo() }, 'Redo')
  readonly modality = h('select', {
    'aria-label': 'Image',
    oninput: () => void this.view.showImage(this.modality.value),
  })
  private readonly layouts = new Map<Layout, HTMLButtonElement>()
  private readonly tools: ReadonlyMap<Tool, HTMLButtonElement>
  private readonly toolBar: HTMLElement

  constructor(
    private readonly view: CaseView,
    private readonly others: readonly string[],
  ) {
    this.tools = new Map(
      (Object.keys(toolNames) as Tool[]).map((tool) => [
        tool,
        h(
          'button',
          { 'aria-pressed': String(tool === 'look'), onclick: () => view.drawing.use(tool) },
          toolNames[tool],
        ),
      ]),
    )
    this.toolBar = this.allTools()
    this.element = h('div', {}, this.topBar(), this.toolBar)
  }

  showTool(tool: Tool): void {
    for (const [name, button] of this.tools) button.setAttribute('aria-pressed', String(name === tool))
  }

  showLayout(which: Layout): void {
    for (const [name, button] of this.layouts) button.setAttribute('aria-pressed', String(name === which))
  }

  private topBar(): HTMLElement {
    const one = this.others.length === 1
    const back = h('button', { onclick: () => this.toList() }, '← All cases')
    for (const [which, text] of Object.entries(layoutNames) as [Layout, string][])
      this.layouts.set(which, h('button', { onclick: () => this.view.drawing.layout(which) }, text))
    this.showLayout('planes')
    return h(
      'div',
      { class: 'bar' },
      one ? null : back,
      h('h1', {}, this.view.id),
      h('span', { class: 'chip' }, 'Research only'),
      h('span', { class: 'grow' }),
      h('span', { class: 'group', role: 'group', 'aria-label': 'Layout' }, ...this.layouts.values()),
      h(
        'button',
        {
          onclick: () => void this.view.viewer.screenshot(`${this.view.id.replaceAll('/', '_')}.png`),
        },
        'Screenshot',
      ),
      h('button', { onclick: () => help() }, 'Keys'),
      raterButton(),
      themeButton(),
    )
  }

  private toList(): void {
    history.pushState(null, '', location.pathname)
    window.dispatchEvent(new HashChangeEvent('hashchange'))
  }

  /** They work on a mask: none is there until the first `fill`. */
  private allTools(): HTMLElement {
    const size = h('input', {
      type: 'range',
      min: 0.5,
      max: 10,
      step: 0.5,
      value: this.view.drawing.radius,
      oninput: () => {
        this.view.drawing.radius = Number(size.value)
      },
    })
    const ball = h('input', {
      type: 'checkbox',
      oninput: () => {
        this.view.drawing.ball = ball.checked
      },
    })
    const opacity = h('input', {
      type: 'range',
      min: 0,
      max: 1,
      step: 0.05,
      value: 0.6,
      oninput: () => this.view.viewer.setMaskOpacity(Number(opacity.value)),
    })
    const outline = h('input', { type: 'checkbox', oninput: () => this.view.viewer.setOutline(outline.checked) })
    const radiological = h('input', {
      type: 'checkbox',
      checked: isRadiological(),
      oninput: () => {
        keepRadiological(radiological.checked)
        this.view.viewer.setRadiological(radiological.checked)
        this.view.beside.setRadiological(radiological.checked)
      },
    })
    const coloured = h('input', {
      type: 'checkbox',
      oninput: () => {
        this.view.setColoured(coloured.checked)
      },
    })
    return h(
      'div',
      { class: 'bar', inert: true },
      h('span', { class: 'group', role: 'group', 'aria-label': 'Tools' }, ...this.tools.values()),
      h('label', {}, 'Size', size),
      h('label', {}, ball, '3-D'),
      this.undoButton,
      this.redoButton,
      h('button', { onclick: () => void this.view.drawing.interpolate() }, 'Interpolate'),
      h('label', {}, 'Image', this.modality),
      h('label', {}, 'Mask', opacity),
      ...(this.others.length > 1
        ? [h('label', {}, 'Beside', this.view.beside.element), ...this.view.beside.buttons]
        : []),
      h('label', {}, outline, 'Outline'),
      h('label', {}, coloured, 'By location'),
      h('label', { title: 'The patient’s right on the left of the picture' }, radiological, 'Radiological'),
      h('span', { class: 'grow' }),
      h('button', { class: 'main', onclick: () => void this.view.versions.save() }, 'Save'),
    )
  }

  fill(): void {
    this.toolBar.inert = false
    this.undoButton.disabled = !this.view.editor.canUndo
    this.redoButton.disabled = !this.view.editor.canRedo
    if (this.modality.childElementCount === 0)
      for (const name of this.view.facts.images) this.modality.append(h('option', { value: name }, name.toUpperCase()))
  }
}
