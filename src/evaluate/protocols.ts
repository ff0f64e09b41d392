import { UsageError } from '../errors.js'
import type { Protocol } from './protocol.js'
import { isbi2015 } from './protocols/isbi2015.js'
import { mslesseg2024 } from './protocols/mslesseg2024.js'
import { msseg2008 } from './protocols/msseg2008.js'
import { msseg2016 } from './protocols/msseg2016.js'
import { msseg2021 } from './protocols/msseg2021.js'
import { wmh2017 } from './protocols/wmh2017.js'

/** The challenges whose way of scoring is known here, by year. */
export const protocols: readonly Protocol[] = [msseg2008, isbi2015, msseg2016, wmh2017, msseg2021, mslesseg2024]

/** @throws UsageError for an unknown id, naming the known ones */
export function findProtocol(id: string): Protocol {
  const found = protocols.find((protocol) => protocol.id === id)
  if (!found)
    throw new UsageError(`there is no protocol "${id}"; the protocols are ${protocols.map((p) => p.id).join(', ')}`)
  return found
}
