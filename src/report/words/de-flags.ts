import type { FlagWords } from './flags.js'

const nothing = 'Es wurde nichts gesucht.'

/** Was die Hinweise sagen, auf Deutsch. */
export const deFlags: FlagWords = {
  terms: { top: 'oben', bottom: 'unten', left: 'links', right: 'rechts', front: 'vorn', back: 'hinten' },
  sentences: {
    'flair-looks-like-t2':
      'Das als FLAIR angegebene Bild sieht aus wie ein T2: Der Liquor der Ventrikel ist {ratio}-mal so hell wie die weiße Substanz und sollte dunkler sein. Bitte die Datei prüfen; ist es ein T2, sagen die gefundenen Läsionen nichts.',
    'flair-looks-like-t1':
      'Das als FLAIR angegebene Bild sieht aus wie ein T1: Die graue Substanz ist dunkler als die weiße (Verhältnis {ratio}) und sollte mindestens so hell sein. Bitte die Datei prüfen; ist es ein T1, sagen die gefundenen Läsionen nichts.',
    'missing-coverage':
      'Die Aufnahme endet innerhalb des Gehirns ({end}): Läsionen jenseits davon fehlen in Anzahl und Volumen.',
    'thick-slices':
      'Die Schichten sind {slice} mm dick (Pixel {pixel} mm): Kleine Läsionen können in einer Schicht verschwinden; Anzahl und Volumen sind unsicherer als bei einer 3-D-Aufnahme.',
    'low-resolution':
      'Die Pixel messen {pixel} mm: Läsionen von wenigen Millimetern verschwimmen mit ihrer Umgebung und können fehlen.',
    'low-contrast':
      'Das FLAIR hat für sein Rauschen wenig Kontrast zwischen Liquor und Gehirn: Schwache Läsionen können fehlen, Ränder sind unsicher.',
    ghosting:
      'In der Luft neben dem Kopf liegen schwache Kopien von ihm ({percent} % der Helligkeit des Gehirns): Der Patient kann sich bewegt haben, und Kopien auf dem Gehirn können wie Läsionen aussehen.',
    'stripped-input': 'Die Bilder kommen ohne Schädel und Kopfhaut: Ihr eigener Rand gilt als Rand des Gehirns.',
    'lesion-free':
      'Keine Läsion wurde gefunden: Vielleicht gibt es keine, oder sie sind kleiner oder schwächer, als diese Methode sehen kann.',
    saturated:
      '{image}: {percent} % des Gehirns haben den größten Wert der Datei: Intensitäten wurden abgeschnitten, helle Gewebe sind nicht zu unterscheiden.',
    'wrapped-intensities':
      '{image}: Werte springen zwischen benachbarten Voxeln von einem Ende der 16-Bit-Zahlen zum anderen ({percent} % des Gehirns): Sie liefen beim Schreiben über. Das Bild bitte neu exportieren.',
    'non-finite-voxels': '{count} Voxel ({percent} %) sind NaN oder unendlich; sie gelten als außerhalb der Aufnahme.',
    'sform-qform-conflict':
      'sform und qform des Headers legen das Bild {mm} mm auseinander; es gilt die sform. Andere Programme nehmen vielleicht die qform.',
    'no-orientation':
      'Der Header sagt nicht, wie das Bild im Raum liegt; es gilt als RAS. Links und rechts können vertauscht sein.',
    'registration-check-failed':
      '{image} und {anchor} passen nicht aufeinander (Prüfung {check}): Die Registrierung ist misslungen, oder sie zeigen verschiedene Menschen; {image} wird nicht benutzt.',
    'not-like-a-head':
      '{image} sieht am Ort des Atlas nicht wie ein Kopf aus (Prüfung {check}): Es kann einen anderen Körperteil zeigen, oder sein Header ist falsch; auf Gehirn, Gewebe und Läsionen ist kein Verlass.',
    'brain-masks-disagree':
      'Die Wege, das Gehirn zu finden, sind uneins (mittlerer Dice {dice}): Bitte den Rand der Maske ansehen.',
    'implausible-brain-volume':
      'Das Gehirn misst {ml} ml, wie kein ganzes Gehirn: Die Aufnahme zeigt einen Teil davon, die Voxelgrößen im Header sind falsch, oder es wurde nicht gefunden.',
    'other-flair': 'Die Bilder zeigen eine andere Datei als das FLAIR, das segmentiert wurde: Sie können täuschen.',
    'flair-grey-not-brighter':
      'Die graue Substanz ist auf diesem FLAIR nicht heller als die weiße; die Schwelle passt vielleicht nicht.',
    'flair-without-spread': `Das FLAIR streut in der grauen Substanz nicht, oder es gibt keine. ${nothing}`,
    'flair-without-contrast': `Das FLAIR streut in der Hirnmaske nicht, oder es ist zu wenig Gehirn da. ${nothing}`,
    'no-tissue-contrast': `Liquor, graue und weiße Substanz sind auf diesen Bildern nicht zu unterscheiden. ${nothing}`,
    'no-contrast': `Die Bilder sind im Gehirn konstant, oder es gibt kein Gehirn. ${nothing}`,
    'nothing-to-model': `Das FLAIR ändert sich im Gehirn nicht, oder der Atlas hat dort keine weiße Substanz. ${nothing}`,
    'no-candidates': `Nichts in der weißen Substanz ist auf dem FLAIR hell und jedem Gewebe unähnlich. ${nothing}`,
    'no-bright-lesions': `Nichts in der weißen Substanz ist auf dem FLAIR deutlich heller als die graue. ${nothing}`,
    'predicted-negative': 'Keine Schicht zeigt eine glaubhafte Läsion; vorhergesagt ist eine Aufnahme ohne Läsionen.',
    'no-population':
      'Es war keine gesunde Population gegeben: Die örtlichen Intensitäten stammen aus der Aufnahme selbst.',
    ...Object.fromEntries(
      ['T1', 'T2', 'PD', 'FLAIR'].flatMap((role) => [
        [`flair-for-${role.toLowerCase()}`, `Es gab kein ${role}; das FLAIR steht dafür.`],
        [
          `without-${role.toLowerCase()}`,
          `Die Methode ist auch für ${role} gemacht, das nicht gegeben war; sie lief ohne.`,
        ],
      ]),
    ),
  },
}
