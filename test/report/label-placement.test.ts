import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../src/random.js'
import { overlap, placeLabels, textWidth } from '../../src/report/label-placement.js'

const frame = { left: 0, top: 0, right: 800, bottom: 600 }
const boxes = (points: Parameters<typeof placeLabels>[0]) =>
  placeLabels(points, frame, 12).map(({ x, y, anchor }, i) => {
    const width = textWidth(points[i].text, 12)
    const left = anchor === 'start' ? x : anchor === 'end' ? x - width : x - width / 2
    return { left, right: left + width, top: y - 6, bottom: y + 6 }
  })

test('labels of thirty scattered points cover neither each other nor a point, and stay within the frame', () => {
  for (const seed of [1, 2, 3]) {
    const random = seededRandom(seed)
    const points = Array.from({ length: 30 }, (_, i) => ({
      x: 40 + 720 * random(),
      y: 40 + 520 * random(),
      text: `Method ${i}, 20${10 + i}`,
      radius: 5,
    }))
    const placed = boxes(points)
    placed.forEach((box, i) => {
      assert.ok(box.left >= 0 && box.right <= 800 && box.top >= 0 && box.bottom <= 600)
      for (let j = 0; j < i; j++) assert.equal(overlap(box, placed[j]), 0, `labels ${i} and ${j}, seed ${seed}`)
      for (const { x, y } of points)
        assert.equal(overlap(box, { left: x - 3, right: x + 3, top: y - 3, bottom: y + 3 }), 0)
    })
  }
})

test('points in one heap get lines to their labels; one alone has its name at its right', () => {
  const heap = Array.from({ length: 9 }, (_, i) => ({ x: 400 + i, y: 300 + (i % 3), text: 'a long name', radius: 5 }))
  const placed = placeLabels(heap, frame, 12)
  assert.ok(placed.filter(({ leader }) => leader).length >= 3)
  assert.deepEqual(placed, placeLabels(heap, frame, 12))
  const [alone] = placeLabels([{ x: 100, y: 100, text: 'one', radius: 5 }], frame, 12)
  assert.deepEqual([alone.anchor, alone.y, alone.leader], ['start', 100, undefined])
  assert.ok(alone.x > 105 && alone.x < 110)
  assert.throws(() => placeLabels([{ x: 1, y: 1, text: 'x'.repeat(500), radius: 5 }], frame, 12), RangeError)
})
