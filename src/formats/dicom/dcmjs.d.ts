/** The part of dcmjs 0.51 that is used here; the package brings no types. */
declare module 'dcmjs' {
  export interface Element {
    vr: string
    Value?: unknown[]
  }
  /** Elements by tag, eight hexadecimal digits in capitals. */
  export type Elements = Record<string, Element>
  interface DicomDict {
    meta: Elements
    dict: Elements
    write(options?: { fragmentMultiframe?: boolean }): ArrayBuffer
  }
  const dcmjs: {
    data: {
      DicomMessage: {
        readFile(
          buffer: ArrayBufferLike,
          options?: { ignoreErrors?: boolean; untilTag?: string | null; includeUntilTagValue?: boolean },
        ): DicomDict
      }
      DicomMetaDictionary: {
        denaturalizeDataset(dataset: Readonly<Record<string, unknown>>): Elements
      }
      DicomDict: new (meta: Elements) => DicomDict
    }
    log: { setLevel(level: string): void; getLogger(name: string): { setLevel(level: string): void } }
  }
  export default dcmjs
}
