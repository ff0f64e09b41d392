import { seededRandom } from '../random.js'

/** A point to be labelled, in pixels from the top left. */
export interface Labelled {
  x: number
  y: number
  text: string
  /** Radius of the point's mark, in pixels. */
  radius: number
}

/** Where a label goes: its text's anchor and baseline's middle, and how far it is from its point. */
export interface PlacedLabel {
  x: number
  y: number
  anchor: 'start' | 'end' | 'middle'
  /** Where a line from the point to the label ends, when it lies too far to be read as the point's. */
  leader?: readonly [number, number]
}

export interface Frame {
  left: number
  top: number
  right: number
  bottom: number
}

interface Candidate extends PlacedLabel {
  box: Frame
  /** The box with some room at either side. */
  wide: Frame
  /** Middle of the point's mark. */
  from: Place
  distance: number
}

/**
 * Places labels beside their points so that none covers another or a point: from many places around each point the
 * choice with the least overlap and the shortest ways, improved label by label from several beginnings (a local search
 * as in Christensen, Marks & Shieber 1995, ACM TOG 14:203). The same points give the same places.
 */
export function placeLabels(points: readonly Labelled[], frame: Frame, fontSize: number): PlacedLabel[] {
  const candidates = points.map((point) => around(point, fontSize).filter(({ box }) => within(box, frame)))
  if (candidates.some((list) => list.length === 0)) throw new RangeError('a label is wider than the figure')
  const own = candidates.map((list, i) => list.map((candidate) => costAlone(candidate, i, points)))
  const random = seededRandom(1)
  let best: { choice: number[]; cost: number } | undefined
  for (let start = 0; start < 6; start++) {
    const choice = candidates.map((list) => (start === 0 ? 0 : Math.floor(random() * list.length)))
    let cost = Infinity
    for (let round = 0; round < 40; round++) {
      for (const i of shuffled(points.length, random)) {
        let least = Infinity
        candidates[i].forEach((candidate, c) => {
          const total = own[i][c] + costBetween(candidate, i, choice, candidates)
          if (total < least) [least, choice[i]] = [total, c]
        })
      }
      const total = points.reduce(
        (sum, _, i) => sum + own[i][choice[i]] + costBetween(candidates[i][choice[i]], i, choice, candidates) / 2,
        0,
      )
      if (total >= cost) break
      cost = total
    }
    if (!best || cost < best.cost) best = { choice, cost }
  }
  return candidates.map((list, i) => {
    const { x, y, anchor, leader } = list[best!.choice[i]]
    return { x, y, anchor, leader }
  })
}

/** Width of a line in a sans-serif font, by classes of letters; on the wide side, since the reader's font is not known. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0
  for (const letter of text)
    width += /[iljI.,:;'|!]/.test(letter)
      ? 250
      : /[ ftr()[\]\-†]/.test(letter)
        ? 315
        : /[mMW@]/.test(letter)
          ? 850
          : /[A-Z&]/.test(letter)
            ? 690
            : 556
  return (1.12 * width * fontSize) / 1000
}

/** Places around a point, the most readable first. */
function around({ x, y, text, radius }: Labelled, fontSize: number): Candidate[] {
  const width = textWidth(text, fontSize)
  const half = fontSize * 0.58
  const out: Candidate[] = []
  for (const distance of [0, 6, 14, 24, 36, 50, 66])
    for (let turn = 0; turn < 16; turn++) {
      const angle = (turn * Math.PI) / 8
      const [dx, dy] = [Math.cos(angle), Math.sin(angle)]
      const anchor = Math.abs(dx) < 0.3 ? 'middle' : dx > 0 ? 'start' : 'end'
      const atX = x + dx * (radius + 2 + distance)
      const atY = y + dy * (radius + distance + (anchor === 'middle' ? half : half * Math.abs(dy)))
      const left = anchor === 'start' ? atX : anchor === 'end' ? atX - width : atX - width / 2
      const box = { left, right: left + width, top: atY - half, bottom: atY + half }
      const leader = distance >= 14 ? ([atX - 2 * dx, atY - dy * half] as const) : undefined
      const wide = { ...box, left: box.left - 2, right: box.right + 2 }
      out.push({
        x: atX,
        y: atY,
        anchor,
        leader,
        box,
        wide,
        from: [x, y],
        distance: distance + (dx > 0.9 ? 0 : 2 + (dx < 0 ? 1 : 0)),
      })
    }
  return out
}

/** Cost of a place whatever the other labels do: points that it or its line covers, and its distance. */
function costAlone(candidate: Candidate, i: number, points: readonly Labelled[]): number {
  let cost = candidate.distance
  points.forEach(({ x, y, radius }, j) => {
    const dot = { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius }
    cost += (j === i ? 4 : 12) * overlap(candidate.box, dot)
    if (j !== i && candidate.leader && crossesBox(candidate.from, candidate.leader, dot)) cost += 200
  })
  return cost
}

function costBetween(
  candidate: Candidate,
  i: number,
  choice: readonly number[],
  candidates: readonly Candidate[][],
): number {
  let cost = 0
  for (let j = 0; j < choice.length; j++) {
    if (j === i) continue
    const other = candidates[j][choice[j]]
    cost += 20 * overlap(candidate.wide, other.wide)
    if (candidate.leader && crossesBox(candidate.from, candidate.leader, other.box)) cost += 300
    if (other.leader && crossesBox(other.from, other.leader, candidate.box)) cost += 300
    if (candidate.leader && other.leader && crosses(candidate.from, candidate.leader, other.from, other.leader))
      cost += 300
  }
  return cost
}

const within = (box: Frame, frame: Frame): boolean =>
  box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom

/** Shared area of two boxes. */
export const overlap = (a: Frame, b: Frame): number =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top))

type Place = readonly [number, number]

function crossesBox(a: Place, b: Place, { left, right, top, bottom }: Frame): boolean {
  if (Math.max(a[0], b[0]) < left || Math.min(a[0], b[0]) > right) return false
  if (Math.max(a[1], b[1]) < top || Math.min(a[1], b[1]) > bottom) return false
  return crosses(a, b, [left, top], [right, bottom]) || crosses(a, b, [left, bottom], [right, top])
}

function crosses(a: Place, b: Place, c: Place, d: Place): boolean {
  const side = (p: Place, q: Place, r: Place) => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
  return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0
}

function shuffled(n: number, random: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i)
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[order[i], order[j]] = [order[j], order[i]]
  }
  return order
}
