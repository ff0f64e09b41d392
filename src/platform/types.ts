/** A thread that runs a script of its own. */
export interface WorkerHandle {
  post(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  /** The thread failed: no more messages will come. */
  onError(listener: (error: Error) => void): void
  /** Keep the process alive while this thread works (Node); threads at rest do not. */
  hold(on: boolean): void
  stop(): void
}

/** onnxruntime's API is the same in Node and in the browser. */
export type OnnxRuntime = typeof import('onnxruntime-node')
export type OnnxSession = import('onnxruntime-node').InferenceSession
