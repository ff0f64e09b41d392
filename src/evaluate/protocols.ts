import { UsageError } from '../errors.js'
import type { Protocol } from './protocol.js'
import { mslesseg2024 } from './protocols/mslesseg2024.js'
import { msseg2016 } from './protocols/msseg2016.js'
import { msseg2021 } from './protocols/msseg2021.js'

/** The challenges whose way of scoring is known here, by year. */
export const protocols: readonly Protocol[] = [msseg2016, msseg2021, mslesseg2024]

/** @throws UsageError for an unknown id, naming the known ones */
export function findProtocol(id: string): Protocol {
  const found = protocols.find((protocol) => protocol.id === id)
  if (!found)
    throw new UsageError(`There is no protocol "${id}"; give one of ${protocols.map((p) => p.id).join(', ')}.`)
  return found
}
