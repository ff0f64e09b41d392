import { InputError } from '../errors.js'

/** A dictionary of Python, in its order. Keys are compared as JavaScript compares them. */
export type PickleDict = Map<PickleValue, PickleValue>

/** What a pickle may hold: plain data, and what `PickleRules` makes of the classes it knows. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleObject
  | PickleValue[]
  | PickleDict
  | Set<PickleValue>

/** A value of a class that the rules know. */
export abstract class PickleObject {
  /** Takes up what the pickle says of the object's inside; by default nothing of it is kept. */
  restore(_state: PickleValue): void {}
}

/** A class or function that a pickle names; it is never looked up, only compared by name. */
export class PickleGlobal extends PickleObject {
  constructor(readonly name: string) {
    super()
  }
}

/** What a reader knows of the classes that a pickle may name. */
export interface PickleRules {
  /** Whether `module.name` is known; a pickle that names anything else is refused. */
  knows(name: string): boolean
  /** The value of a call of a known class or function. Undefined: it cannot be called like that. */
  call(name: string, args: readonly PickleValue[]): PickleValue | undefined
  /** The object that stands outside the pickle. Undefined: there is none of this kind. */
  outside(id: PickleValue): PickleValue | undefined
}

const mark = Symbol('mark')
type Entry = PickleValue | typeof mark

/**
 * Reads a pickle of protocol 2 to 5 as data. Nothing is executed or imported: classes and functions are names, and only
 * those that `rules` knows are accepted.
 *
 * @throws InputError naming the class that is not known, or when the pickle is damaged or ends too early
 */
export function readPickle(bytes: Uint8Array, rules: PickleRules, source: string): PickleValue {
  return new PickleMachine(bytes, rules, source).run()
}

class PickleMachine {
  private readonly view: DataView
  private readonly stack: Entry[] = []
  private readonly memo = new Map<number, PickleValue>()
  private readonly text = new TextDecoder()
  private at = 0

  constructor(
    private readonly bytes: Uint8Array,
    private readonly rules: PickleRules,
    private readonly source: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  run(): PickleValue {
    for (;;) {
      const code = this.u8()
      if (code === 0x2e) return this.pop()
      const operation = operations[code]
      if (!operation) throw this.damaged(`unknown operation ${code}`)
      operation(this)
    }
  }

  damaged(what: string): InputError {
    return new InputError(this.source, `its pickle is damaged (${what} at byte ${this.at})`, 'copy the file again')
  }

  private take(length: number): number {
    const from = this.at
    if (!Number.isSafeInteger(length) || length < 0 || from + length > this.bytes.length)
      throw this.damaged('it ends too early')
    this.at += length
    return from
  }

  u8 = (): number => this.view.getUint8(this.take(1))
  u16 = (): number => this.view.getUint16(this.take(2), true)
  u32 = (): number => this.view.getUint32(this.take(4), true)
  i32 = (): number => this.view.getInt32(this.take(4), true)
  u64 = (): number => Number(this.view.getBigUint64(this.take(8), true))
  f64 = (): number => this.view.getFloat64(this.take(8))

  raw(length: number): Uint8Array {
    const from = this.take(length)
    return this.bytes.subarray(from, from + length)
  }

  utf8 = (length: number): string => this.text.decode(this.raw(length))

  line(): string {
    const end = this.bytes.indexOf(0x0a, this.at)
    if (end < 0) throw this.damaged('it ends too early')
    const text = this.utf8(end - this.at)
    this.at++
    return text
  }

  /** A little-endian two's-complement integer; a number where that holds it. */
  integer(length: number): number | bigint {
    const digits = this.raw(length)
    let value = 0n
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(digits[i])
    if (length > 0 && digits[length - 1] >= 0x80) value -= 1n << BigInt(8 * length)
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  push(value: Entry): void {
    this.stack.push(value)
  }

  pop(): PickleValue {
    const value = this.stack.pop()
    if (value === undefined || value === mark) throw this.damaged('a value is missing')
    return value
  }

  top(): PickleValue {
    const value = this.stack.at(-1)
    if (value === undefined || value === mark) throw this.damaged('a value is missing')
    return value
  }

  /** What lies above the last mark, which goes too. */
  popMark(): PickleValue[] {
    const from = this.stack.lastIndexOf(mark)
    if (from < 0) throw this.damaged('a mark is missing')
    return this.stack.splice(from).slice(1) as PickleValue[]
  }

  remember(index: number): void {
    this.memo.set(index, this.top())
  }

  rememberNext(): void {
    this.remember(this.memo.size)
  }

  recall(index: number): void {
    const value = this.memo.get(index)
    if (value === undefined) throw this.damaged(`nothing is remembered as ${index}`)
    this.push(value)
  }

  global(module: PickleValue, name: PickleValue): void {
    const full = `${String(module)}.${String(name)}`
    if (!this.rules.knows(full))
      throw new InputError(
        this.source,
        `its pickle names ${full.slice(0, 120)}, which is neither a tensor nor plain data`,
        'give a checkpoint as nnU-Net saves it',
      )
    this.push(new PickleGlobal(full))
  }

  call(): void {
    const args = this.pop()
    const callee = this.pop()
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) throw this.damaged('a call of what is no class')
    const value = this.rules.call(callee.name, args)
    if (value === undefined) throw this.damaged(`${callee.name} is called with what it does not take`)
    this.push(value)
  }

  build(): void {
    const state = this.pop()
    const object = this.top()
    if (object instanceof PickleObject) object.restore(state)
    else if (!(object instanceof Map)) throw this.damaged('state for what is no object')
  }

  outside(): void {
    const value = this.rules.outside(this.pop())
    if (value === undefined) throw this.damaged('a reference to an unknown storage')
    this.push(value)
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top()
    if (Array.isArray(list)) for (const value of values) list.push(value)
    else if (list instanceof Set) for (const value of values) list.add(value)
    else throw this.damaged('items for what is no list')
  }

  setItems(values: readonly PickleValue[]): void {
    const dict = this.top()
    if (!(dict instanceof Map) || values.length % 2 !== 0) throw this.damaged('items for what is no dictionary')
    for (let i = 0; i < values.length; i += 2) dict.set(values[i], values[i + 1])
  }

  tuple(length: number): void {
    const values = Array.from({ length }, () => this.pop())
    this.push(values.reverse())
  }
}

function dictOf(machine: PickleMachine): PickleDict {
  const values = machine.popMark()
  machine.push(new Map())
  machine.setItems(values)
  return machine.pop() as PickleDict
}

/** The operations by their byte (Python's pickletools), but for those that protocol 2 and later do not write. */
const operations: Record<number, (m: PickleMachine) => void> = {
  128: (m) => void m.u8(), // PROTO
  149: (m) => void m.u64(), // FRAME
  40: (m) => m.push(mark),
  48: (m) => void m.pop(),
  49: (m) => void m.popMark(),
  50: (m) => m.push(m.top()), // DUP
  78: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  74: (m) => m.push(m.i32()), // BININT
  75: (m) => m.push(m.u8()),
  77: (m) => m.push(m.u16()),
  138: (m) => m.push(m.integer(m.u8())), // LONG1
  139: (m) => m.push(m.integer(m.i32())),
  71: (m) => m.push(m.f64()), // BINFLOAT
  88: (m) => m.push(m.utf8(m.u32())), // BINUNICODE
  140: (m) => m.push(m.utf8(m.u8())),
  141: (m) => m.push(m.utf8(m.u64())),
  66: (m) => m.push(m.raw(m.u32())), // BINBYTES
  67: (m) => m.push(m.raw(m.u8())),
  142: (m) => m.push(m.raw(m.u64())),
  84: (m) => m.push(m.raw(m.i32())), // BINSTRING
  85: (m) => m.push(m.raw(m.u8())),
  93: (m) => m.push([]), // EMPTY_LIST
  108: (m) => m.push(m.popMark()), // LIST
  97: (m) => m.append([m.pop()]), // APPEND
  101: (m) => m.append(m.popMark()),
  41: (m) => m.push([]), // EMPTY_TUPLE
  116: (m) => m.push(m.popMark()),
  133: (m) => m.tuple(1),
  134: (m) => m.tuple(2),
  135: (m) => m.tuple(3),
  125: (m) => m.push(new Map()), // EMPTY_DICT
  100: (m) => m.push(dictOf(m)),
  115: (m) => m.setItems([m.pop(), m.pop()].reverse()), // SETITEM
  117: (m) => m.setItems(m.popMark()),
  143: (m) => m.push(new Set()), // EMPTY_SET
  144: (m) => m.append(m.popMark()),
  145: (m) => m.push(new Set(m.popMark())), // FROZENSET
  113: (m) => m.remember(m.u8()), // BINPUT
  114: (m) => m.remember(m.u32()),
  148: (m) => m.rememberNext(),
  104: (m) => m.recall(m.u8()), // BINGET
  106: (m) => m.recall(m.u32()),
  99: (m) => m.global(m.line(), m.line()), // GLOBAL
  147: (m) => {
    const name = m.pop()
    m.global(m.pop(), name)
  },
  82: (m) => m.call(), // REDUCE
  129: (m) => m.call(), // NEWOBJ
  98: (m) => m.build(), // BUILD
  81: (m) => m.outside(), // BINPERSID
}
