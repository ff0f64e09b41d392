/** The last few things that took long to make, by what they were made of. Whoever asks while one is made waits for it. */
export class Recent<T> {
  private readonly kept = new Map<string, Promise<T>>()

  /** @param most how many are kept */
  constructor(private readonly most: number) {}

  async get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.kept.get(key)
    this.kept.delete(key)
    const made = known ?? make()
    this.kept.set(key, made)
    for (const [oldest] of this.kept) {
      if (this.kept.size <= this.most) break
      this.kept.delete(oldest)
    }
    try {
      return await made
    } catch (error) {
      // What failed is tried again the next time.
      if (this.kept.get(key) === made) this.kept.delete(key)
      throw error
    }
  }
}
