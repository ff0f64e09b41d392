import { InputError } from '../errors.js'
import { PickleGlobal, PickleObject, type PickleRules, type PickleValue, readPickle } from './pickle.js'
import { readStoredZip, type StoredEntries } from './zip.js'

/** Element types of PyTorch by the name of their storage class. */
const storages = {
  FloatStorage: { type: 'float32', bytes: 4 },
  DoubleStorage: { type: 'float64', bytes: 8 },
  HalfStorage: { type: 'float16', bytes: 2 },
  BFloat16Storage: { type: 'bfloat16', bytes: 2 },
  LongStorage: { type: 'int64', bytes: 8 },
  IntStorage: { type: 'int32', bytes: 4 },
  ShortStorage: { type: 'int16', bytes: 2 },
  CharStorage: { type: 'int8', bytes: 1 },
  ByteStorage: { type: 'uint8', bytes: 1 },
  BoolStorage: { type: 'bool', bytes: 1 },
} as const

type ElementType = (typeof storages)[keyof typeof storages]['type']

/** The bytes of an array that tensors are views of. */
class Storage extends PickleObject {
  constructor(
    readonly type: ElementType,
    readonly bytes: Uint8Array,
    readonly length: number,
  ) {
    super()
  }
}

/** A tensor of a checkpoint: a view of a storage. Its values are read when they are asked for. */
export class TorchTensor extends PickleObject {
  constructor(
    private readonly storage: Storage,
    private readonly offset: number,
    readonly shape: readonly number[],
    private readonly strides: readonly number[],
  ) {
    super()
  }

  get type(): ElementType {
    return this.storage.type
  }

  get size(): number {
    return this.shape.reduce((all, n) => all * n, 1)
  }

  private get contiguous(): boolean {
    let step = 1
    for (let axis = this.shape.length - 1; axis >= 0; axis--) {
      if (this.shape[axis] !== 1 && this.strides[axis] !== step) return false
      step *= this.shape[axis]
    }
    return true
  }

  /** The values in row-major order, rounded to float32. */
  values(): Float32Array {
    const { shape, strides, offset } = this
    const out = new Float32Array(this.size)
    if (out.length === 0) return out
    if (this.type === 'float32' && this.contiguous) {
      new Uint8Array(out.buffer).set(this.storage.bytes.subarray(4 * offset, 4 * (offset + out.length)))
      return out
    }
    const read = readers[this.type](this.storage.bytes)
    const index = shape.map(() => 0)
    let at = offset
    for (let i = 0; i < out.length; i++) {
      out[i] = read(at)
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += strides[axis]
        if (++index[axis] < shape[axis]) break
        at -= index[axis] * strides[axis]
        index[axis] = 0
      }
    }
    return out
  }
}

/** A NumPy scalar or array, a device, …: known so that a checkpoint can be read, of no further use. */
export class Inert extends PickleObject {}

const readers: Record<ElementType, (bytes: Uint8Array) => (at: number) => number> = {
  float32: reader((view, at) => view.getFloat32(4 * at, true)),
  float64: reader((view, at) => view.getFloat64(8 * at, true)),
  float16: reader((view, at) => halfFloat(view.getUint16(2 * at, true))),
  bfloat16: (bytes) => {
    const [view, single] = [viewOf(bytes), new DataView(new ArrayBuffer(4))]
    return (at) => {
      single.setUint32(0, view.getUint16(2 * at, true) << 16)
      return single.getFloat32(0)
    }
  },
  int64: reader((view, at) => Number(view.getBigInt64(8 * at, true))),
  int32: reader((view, at) => view.getInt32(4 * at, true)),
  int16: reader((view, at) => view.getInt16(2 * at, true)),
  int8: reader((view, at) => view.getInt8(at)),
  uint8: reader((view, at) => view.getUint8(at)),
  bool: reader((view, at) => view.getUint8(at)),
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function reader(get: (view: DataView, at: number) => number) {
  return (bytes: Uint8Array) => {
    const view = viewOf(bytes)
    return (at: number) => get(view, at)
  }
}

/** The value of an IEEE 754 half-precision number. */
export function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}

/**
 * Reads a checkpoint that `torch.save` wrote (PyTorch 1.6 and later): dictionaries as Maps, lists and tuples as arrays,
 * tensors as `TorchTensor`. Nothing in the file is executed: tensors, plain containers and, as inert values, NumPy's
 * scalars and arrays are known, and a file that names any other class is refused.
 *
 * @throws InputError when it is no such file, is damaged, ends too early, or names another class
 */
export function readTorchCheckpoint(bytes: Uint8Array, source: string): PickleValue {
  // The format before 1.6: a pickle of a magic number first.
  if (bytes[0] === 0x80 && bytes[2] === 0x8a)
    throw new InputError(
      source,
      'was saved in the format of PyTorch before 1.6',
      'load it and save it again with a newer PyTorch',
    )
  const entries = readStoredZip(bytes, source)
  const pickleName = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name))
  if (pickleName === undefined)
    throw new InputError(source, 'is a zip archive without data.pkl', 'give a checkpoint that torch.save wrote')
  const folder = pickleName.slice(0, -'data.pkl'.length)
  const order = entries.get(`${folder}byteorder`)
  if (order && new TextDecoder().decode(order) !== 'little')
    throw new InputError(source, 'was saved on a big-endian machine', 'load it and save it again on a common one')
  return readPickle(entries.get(pickleName)!, rulesFor(entries, folder, source), source)
}

function rulesFor(entries: StoredEntries, folder: string, source: string): PickleRules {
  const damaged = (what: string) => new InputError(source, `${what}`, 'copy the file again')
  const read = new Map<string, Storage>()
  return {
    knows: (name) => Object.hasOwn(calls, name) || constants.has(name) || storageOf(name) !== undefined,
    call: (name, args) => (Object.hasOwn(calls, name) ? calls[name](args, damaged) : undefined),
    outside(id) {
      if (!Array.isArray(id) || id[0] !== 'storage' || !(id[1] instanceof PickleGlobal)) return undefined
      const kind = storageOf(id[1].name)
      const [key, length] = [String(id[2]), Number(id[4])]
      if (!kind) return undefined
      const bytes = entries.get(`${folder}data/${key}`)
      if (!bytes) throw damaged(`the values of storage ${key.slice(0, 40)} are missing`)
      if (!Number.isSafeInteger(length) || length < 0 || length * kind.bytes > bytes.length)
        throw damaged(`storage ${key.slice(0, 40)} is shorter than it says`)
      // Storages are shared by tensors: one object for each.
      const known = read.get(key)
      if (known && known.type === kind.type) return known
      const storage = new Storage(kind.type, bytes, length)
      read.set(key, storage)
      return storage
    },
  }
}

function storageOf(name: string): { type: ElementType; bytes: number } | undefined {
  const key = name.startsWith('torch.') ? name.slice('torch.'.length) : ''
  return Object.hasOwn(storages, key) ? storages[key as keyof typeof storages] : undefined
}

type Call = (args: readonly PickleValue[], damaged: (what: string) => InputError) => PickleValue | undefined

const tensor: Call = ([storage, offset, shape, strides], damaged) => {
  if (!(storage instanceof Storage) || !isCounts([offset]) || !isCounts(shape) || !isCounts(strides)) return undefined
  const size = shape.reduce((all, n) => all * n, 1)
  const last = shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis], Number(offset))
  // A view that repeats its values could claim any size.
  if (shape.length !== strides.length || size > storage.length || (size > 0 && last >= storage.length))
    throw damaged(`a tensor of ${shape.join(' × ')} does not fit its storage of ${storage.length} values`)
  return new TorchTensor(storage, Number(offset), shape, strides)
}

const isCounts = (value: PickleValue | undefined): value is number[] =>
  Array.isArray(value) && value.every((n) => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0)

const first: Call = ([value]) => value
const inert: Call = () => new Inert()
const dict: Call = ([items]) => {
  if (items === undefined) return new Map()
  const pairs = Array.isArray(items) && items.every((pair) => Array.isArray(pair) && pair.length === 2)
  return pairs ? new Map(items as [PickleValue, PickleValue][]) : undefined
}
const set: Call = ([items = []]) => (Array.isArray(items) ? new Set(items) : undefined)

/** What may be called, and what comes of it. */
const calls: Record<string, Call> = {
  'torch._utils._rebuild_tensor_v2': tensor,
  'torch._utils._rebuild_tensor': tensor,
  'torch._utils._rebuild_parameter': first,
  'torch.Size': first,
  'torch.device': inert,
  'collections.OrderedDict': dict,
  'collections.defaultdict': () => new Map(),
  'builtins.set': set,
  '__builtin__.set': set,
  'numpy.dtype': inert,
  '_codecs.encode': inert,
}
for (const core of ['numpy.core', 'numpy._core'])
  for (const name of ['scalar', '_reconstruct']) calls[`${core}.multiarray.${name}`] = inert

/** What may be named but not called. */
const constants: ReadonlySet<string> = new Set(['numpy.ndarray'])
