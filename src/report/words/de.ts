import { contrastNames } from './common.js'
import type { Words } from './en.js'

/** Der Bericht auf Deutsch. */
export const de: Words = {
  language: 'de',
  locale: 'de-DE',
  and: 'und',
  yes: 'ja',
  no: 'nein',

  title: 'Bericht über MS-Läsionen',
  research: 'Nur für die Forschung. Nicht zur Diagnose.',
  footer: (software) =>
    `Erstellt mit ${software}. Nur für die Forschung, kein Medizinprodukt: Nichts hiervon ist eine Diagnose.`,
  sections: 'Abschnitte',
  page: (number, of) => `Seite ${number} von ${of}`,
  voxels: (dims, size) => `${dims} Voxel zu ${size} mm`,
  maskGiven: 'Läsionsmaske vorgegeben',
  visit: (date) => `Untersuchung ${date}`,
  analysed: (date) => `ausgewertet ${date}`,

  locations: {
    periventricular: 'Periventrikulär',
    juxtacortical: 'Juxtakortikal und kortikal',
    infratentorial: 'Infratentoriell',
    subcortical: 'Subkortikal, tiefe weiße Substanz',
  },
  shortLocations: {
    periventricular: 'Periventrikulär',
    juxtacortical: 'Juxtakortikal',
    infratentorial: 'Infratentoriell',
    subcortical: 'Subkortikal',
  },
  planes: { axial: 'Axial', coronal: 'Koronar', sagittal: 'Sagittal' },
  contrasts: contrastNames,

  result: {
    title: 'Ergebnis',
    lesions: (n) => (n === 1 ? 'Läsion' : 'Läsionen'),
    counted: (minimumMm3, connectivity) => `ab ${minimumMm3} mm³, ${connectivity}er-Nachbarschaft`,
    inAll: 'ml insgesamt',
    largest: (ml) => `größte ${ml} ml`,
    none: 'keine Läsion gefunden',
    ofBrain: 'des Gehirns',
    ofBrainNote: 'Läsionen in Prozent der Hirnmaske',
    brain: 'ml Gehirn',
    brainNote: 'alles in der Hirnmaske, auch Liquor; nicht auf die Kopfgröße bezogen',
    location: 'Lage',
    count: 'Läsionen',
    volume: 'Volumen, ml',
    share: 'Anteil',
    total: 'Summe',
  },

  criteria: {
    title: 'Regionen der McDonald-Kriterien',
    lead: (mm) =>
      `In welchen Hirnregionen, die die Kriterien nennen, eine Läsion mit einer Längsachse von mindestens ${mm} mm liegt. Gezählt ist, was die Software gefunden hat, Fehlfunde eingeschlossen; eine Diagnose ist das nicht.`,
    region: 'Region',
    count: (mm) => `Läsionen ≥ ${mm} mm`,
    longest: 'Längste Achse, mm',
    holds: 'Läsion vorhanden',
    spinalCord: 'Rückenmark',
    opticNerve: 'Sehnerv',
    notImaged: 'nicht abgebildet',
    sentence: (held, of, names) =>
      `In ${held} von ${of} Hirnregionen liegt mindestens eine solche Läsion${names && `: ${names}`}. Jede Läsion zählt in einer Region.`,
  },

  earlier: {
    title: 'Vergleich mit der früheren Untersuchung',
    lead: 'Anzahl und Volumen aus zwei Ergebnissen, jedes für sich. Einzelne Läsionen sind nicht zugeordnet: Welche neu, größer oder verschwunden sind, steht hier nicht, und zusammengewachsene Läsionen senken die Anzahl.',
    before: (date) => `Früher${date && ` (${date})`}`,
    now: (date) => `Jetzt${date && ` (${date})`}`,
    change: 'Änderung',
    percent: 'Änderung, %',
    lesions: 'Läsionen',
    volume: 'Volumen, ml',
    brain: 'Hirnmaske',
    percentOfBrain: 'Läsionen, % Gehirn',
    differs: (what) =>
      `Die beiden Ergebnisse sind nicht gleich entstanden (${what}): Ein Unterschied kann daher kommen und nicht vom Patienten.`,
    differences: {
      method: 'Methode',
      params: 'Parameter',
      version: 'Version der Software',
      connectivity: 'Nachbarschaft',
      minimumSize: 'kleinste Läsion',
      locationRule: 'Regel für die Lage',
      contrasts: 'Kontraste',
      grid: 'Gitter des FLAIR',
    },
  },

  quality: {
    title: 'Zweifel und Qualität',
    lead: 'Was an den Bildern und am Lauf auffiel. Ein Hinweis ist ein Grund hinzusehen, kein Urteil.',
    none: 'Nichts fiel auf, was gegen das Ergebnis spricht.',
    severities: { serious: 'Ernst', warning: 'Warnung', info: 'Hinweis' },
    more: (n) => `${n} weitere in report.html und summary.json.`,
  },

  pictures: {
    title: 'Wichtigste Schichten',
    withLesions:
      'In jeder Ebene die Schicht mit dem meisten Läsionsgewebe: zuerst wie aufgenommen, dann mit den Rändern der Läsionen',
    withoutLesions: 'Die Mitte des Gehirns in drei Ebenen',
    sides: 'Radiologische Ansicht: Rechts am Patienten (R) ist im Bild links.',
    missing: 'Das FLAIR lag nicht vor, als dieser Bericht entstand: Er hat keine Bilder. Angeben mit --flair DATEI.',
    slice: (plane, place) => `${plane}, ${place}`,
    outlined: 'mit Rändern der Läsionen',
    largest: 'Die größten Läsionen von nahem',
    all: 'Die Läsionen von nahem',
    closeLead: 'Axiale Quadrate von 64 mm in einem Maßstab, durch die Schicht, die am meisten von der Läsion zeigt.',
    lesion: (id) => `Läsion ${id}`,
    montage: 'Das ganze Gehirn',
    montageLead:
      'Axiale Schichten von oben nach unten, rechts am Patienten ist im Bild links; die Zahlen sind Höhen in mm.',
    brainEdge: 'Die dünne Linie ist der Rand der Hirnmaske.',
  },

  lesions: {
    title: 'Läsionen',
    lead: 'Schwerpunkte in mm nach rechts, vorn und oben. Abstände gelten von der Oberfläche der Läsion zu der der Ventrikel und des Kortex. Ein Druck auf eine Überschrift sortiert.',
    number: 'Nr.',
    location: 'Lage',
    volume: 'Volumen, mm³',
    longest: 'Längste Achse, mm',
    centroid: 'Schwerpunkt, mm',
    toVentricles: 'Zum Ventrikel, mm',
    toCortex: 'Zum Kortex, mm',
    flair: 'FLAIR, Mittel',
    printed: (n) => `Gedruckt sind die 60 größten von ${n} Läsionen; lesions.tsv hat alle.`,
  },

  intensities: {
    title: 'Intensitäten',
    lead: 'FLAIR-Intensitäten des Gehirns und der Läsionen, jede Kurve auf ihren Gipfel bezogen.',
    brain: 'Gehirn ohne Läsionen',
    lesions: 'Läsionen',
    threshold: (value) => `Schwelle ${value}`,
    mark: 'Schwelle',
    axis: 'FLAIR-Intensität in den Einheiten des Bildes',
  },

  probability: {
    title: 'Wie sicher die Methode war',
    lead: 'Noch einmal die wichtigsten Schichten, gefärbt nach der Wahrscheinlichkeit für Läsion, die die Methode jedem Voxel gab.',
  },

  registration: {
    title: 'Passt das T1 zum FLAIR?',
    lead: 'FLAIR und T1 (bläulich) im Wechsel. Wo beide passen, laufen Ventrikel und Kortex über die Ränder der Felder weiter.',
    check: 'Prüfung der Registrierung',
    best: '1 ist am besten',
  },

  method: {
    title: 'Wie es gemacht wurde',
    given: 'Läsionsmaske vom Benutzer vorgegeben',
    paper: 'Für den Methodenteil',
    settings: 'Parameter und Einstellungen',
    smallest: 'Kleinste Läsion',
    smallestValue: (mm3, voxels) => `${mm3} mm³${voxels && ` und ${voxels} Voxel`}`,
    touching: 'Voxel berühren sich über',
    neighbours: (n) => `${n} Nachbarn`,
    rule: 'Regel für die Lage',
    cut: 'Schnitt der Wahrscheinlichkeit',
    threshold: 'Gefundene Intensitätsschwelle',
    times: 'Wo die Zeit blieb',
    inAll: 'Insgesamt',
    stages: (n) => `${n} ${n === 1 ? 'Schritt' : 'Schritte'}`,
    versions: 'Versionen',
    segmentedBy: (software) => `Läsionen: ${software}`,
    writtenBy: (software) => `Dieser Bericht: ${software}`,
    references: 'Literatur',
    more: (n) => `${n} weitere in report.html und provenance.json.`,
    sentences: {
      given: (images, software) =>
        `Die Läsionsmasken waren vorgegeben; die Läsionen wurden auf den Bildern ${images} mit ${software} gemessen.`,
      segmented: (images, software, method, params) =>
        `Die Läsionen wurden auf den Bildern ${images} mit ${software} segmentiert, Methode ${method}${params && `, mit ${params}`}.`,
      rules: (connectivity, minimumMm3, rule) =>
        `Eine Läsion ist eine zusammenhängende Komponente (${connectivity}er-Nachbarschaft) von mindestens ${minimumMm3} mm³. Die Läsionen wurden nach ihrem Abstand zu Ventrikeln und Kortex als infratentoriell, periventrikulär, juxtakortikal oder kortikal oder als subkortikal eingeteilt${rule && ` (Regel: ${rule})`}. Volumina gelten im Raum des FLAIR, wie es aufgenommen wurde.`,
    },
  },
}
