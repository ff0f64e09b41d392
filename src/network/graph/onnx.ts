import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

/**
 * Writes ONNX models: the few messages of onnx.proto (ONNX 1.23, IR version 10) that a graph needs, by their field numbers.
 * Everything is little-endian, as the format asks.
 */

export type ElementType = 'float32' | 'float16' | 'uint8' | 'int8' | 'int32' | 'int64' | 'bool' | 'float64'

/** TensorProto.DataType */
const elementCode: Record<ElementType, number> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
}

export interface OnnxTensor {
  type: ElementType
  shape: readonly number[]
  /** Values in row-major order, little-endian. */
  bytes: Uint8Array
}

/** Attributes by name: whole numbers (`int`, `ints`), real numbers (`float`, `floats`), text, or a tensor. */
export type Attribute =
  | { int: number }
  | { ints: readonly number[] }
  | { float: number }
  | { text: string }
  | { tensor: OnnxTensor }

export interface OnnxNode {
  op: string
  inputs: readonly string[]
  outputs: readonly string[]
  attributes?: Readonly<Record<string, Attribute>>
  /** Operator set; empty for ONNX's own, `com.microsoft` for onnxruntime's. */
  domain?: string
}

export interface OnnxValue {
  name: string
  type: ElementType
  /** A name stands for a size known only at run time. */
  shape: readonly (number | string)[]
}

export interface OnnxModel {
  nodes: readonly OnnxNode[]
  inputs: readonly OnnxValue[]
  outputs: readonly OnnxValue[]
  /** Constants by name. */
  constants: ReadonlyMap<string, OnnxTensor>
  metadata?: Readonly<Record<string, string>>
}

export const opset = 18

/** Bytes of a model file that onnxruntime reads. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const out = new BinaryWriter()
  field(out, 1, WireType.Varint).int64(10)
  field(out, 2, WireType.LengthDelimited).string('lesionwise')
  message(out, 7, (graph) => {
    for (const node of model.nodes) message(graph, 1, (w) => writeNode(w, node))
    field(graph, 2, WireType.LengthDelimited).string('lesionwise')
    for (const [name, tensor] of model.constants) message(graph, 5, (w) => writeTensor(w, tensor, name))
    for (const value of model.inputs) message(graph, 11, (w) => writeValue(w, value))
    for (const value of model.outputs) message(graph, 12, (w) => writeValue(w, value))
  })
  for (const [domain, version] of [
    ['', opset],
    ['com.microsoft', 1],
  ] as const) {
    message(out, 8, (w) => {
      field(w, 1, WireType.LengthDelimited).string(domain)
      field(w, 2, WireType.Varint).int64(version)
    })
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    message(out, 14, (w) => {
      field(w, 1, WireType.LengthDelimited).string(key)
      field(w, 2, WireType.LengthDelimited).string(value)
    })
  }
  return out.finish()
}

const field = (w: BinaryWriter, number: number, wire: WireType): BinaryWriter => w.tag(number, wire)

function message(w: BinaryWriter, number: number, body: (inner: BinaryWriter) => void): void {
  w.tag(number, WireType.LengthDelimited).fork()
  body(w)
  w.join()
}

function writeNode(w: BinaryWriter, node: OnnxNode): void {
  for (const name of node.inputs) field(w, 1, WireType.LengthDelimited).string(name)
  for (const name of node.outputs) field(w, 2, WireType.LengthDelimited).string(name)
  field(w, 4, WireType.LengthDelimited).string(node.op)
  for (const [name, attribute] of Object.entries(node.attributes ?? {})) {
    message(w, 5, (inner) => writeAttribute(inner, name, attribute))
  }
  if (node.domain) field(w, 7, WireType.LengthDelimited).string(node.domain)
}

/** AttributeProto.AttributeType: FLOAT 1, INT 2, STRING 3, TENSOR 4, INTS 7 */
function writeAttribute(w: BinaryWriter, name: string, attribute: Attribute): void {
  field(w, 1, WireType.LengthDelimited).string(name)
  const kind = (code: number) => field(w, 20, WireType.Varint).int32(code)
  if ('float' in attribute) {
    field(w, 2, WireType.Bit32).float(attribute.float)
    kind(1)
  } else if ('int' in attribute) {
    field(w, 3, WireType.Varint).int64(attribute.int)
    kind(2)
  } else if ('text' in attribute) {
    field(w, 4, WireType.LengthDelimited).string(attribute.text)
    kind(3)
  } else if ('tensor' in attribute) {
    message(w, 5, (inner) => writeTensor(inner, attribute.tensor, ''))
    kind(4)
  } else {
    for (const value of attribute.ints) field(w, 8, WireType.Varint).int64(value)
    kind(7)
  }
}

function writeTensor(w: BinaryWriter, tensor: OnnxTensor, name: string): void {
  for (const size of tensor.shape) field(w, 1, WireType.Varint).int64(size)
  field(w, 2, WireType.Varint).int32(elementCode[tensor.type])
  if (name) field(w, 8, WireType.LengthDelimited).string(name)
  field(w, 9, WireType.LengthDelimited).bytes(tensor.bytes)
}

function writeValue(w: BinaryWriter, value: OnnxValue): void {
  field(w, 1, WireType.LengthDelimited).string(value.name)
  message(w, 2, (type) =>
    message(type, 1, (tensor) => {
      field(tensor, 1, WireType.Varint).int32(elementCode[value.type])
      message(tensor, 2, (shape) => {
        for (const size of value.shape) {
          message(shape, 1, (dim) => {
            if (typeof size === 'number') field(dim, 1, WireType.Varint).int64(size)
            else field(dim, 2, WireType.LengthDelimited).string(size)
          })
        }
      })
    }),
  )
}
