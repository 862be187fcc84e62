// SPDX-License-Identifier: Apache-2.0
// Judges the cases of differential_cases with another verifier and compares the verdicts.
// usage: differential_cases SEED COUNT | node compare.js
'use strict';

const readline = require('node:readline');
const { QuoteVerifier } = require('@phala/dcap-qvl/src/verify');

// Where the other verifier is known to differ, and why ratls does not follow. Each entry holds for
// one defect or one pair of statuses, and only in the direction that it states.
const KNOWN = [
  {
    name: 'it takes the worse of two statuses, where Intel joins them: an outdated QE turns ' +
          'ConfigurationNeeded into OutOfDateConfigurationNeeded',
    holds: (c, theirs) =>
      theirs.accepted && c.ours.accepted && c.ours.qe === 'OutOfDate' &&
      c.ours.platform.startsWith('Configuration') &&
      c.ours.status === 'OutOfDateConfigurationNeeded' && theirs.status === 'OutOfDate',
  },
  ...[
    ['pce_id', 'it does not compare PCEID'],
    ['report_data_tail', 'it looks at half of the QE report data only'],
    ['root_crl_signer', 'it does not check who signed revocation lists'],
    ['pck_crl_signer', 'it does not check who signed revocation lists'],
    ['root_crl_expired', 'it does not look at the dates of revocation lists'],
    ['pck_crl_expired', 'it does not look at the dates of revocation lists'],
  ].map(([defect, name]) => ({
    name, holds: (c, theirs) => c.defect === defect && !c.ours.accepted && theirs.accepted,
  })),
];

function judge(c) {
  try {
    const report = QuoteVerifier.newWithRootCa(Buffer.from(c.root, 'hex'))
      .verify(Buffer.from(c.quote, 'hex'), c.collateral, c.now);
    return { accepted: true, status: report.status, advisories: report.advisory_ids };
  } catch (error) {
    // Its refusals are plain errors; anything else is a fault of it or of the cases.
    return { accepted: false, reason: error.message, crashed: error.constructor !== Error };
  }
}

const sorted = (list) => [...new Set(list)].sort().join(' ');

function agree(ours, theirs) {
  if (ours.accepted !== theirs.accepted || theirs.crashed) return false;
  return !ours.accepted ||
    (ours.status === theirs.status && sorted(ours.advisories) === sorted(theirs.advisories));
}

async function main() {
  const counts = { cases: 0, accepted: 0, refused: 0 };
  const known = new Map();
  const differences = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const c = JSON.parse(line);
    const theirs = judge(c);
    counts.cases += 1;
    counts[c.ours.accepted ? 'accepted' : 'refused'] += 1;
    // A planted defect has to be refused, also where the other verifier does not look for it.
    const missed = c.defect !== 'none' && c.ours.accepted;
    if (!missed && agree(c.ours, theirs)) continue;
    const reason = KNOWN.find((entry) => entry.holds(c, theirs));
    if (reason) known.set(reason.name, (known.get(reason.name) ?? 0) + 1);
    else differences.push({ seed: c.seed, defect: c.defect, ours: c.ours, theirs });
  }
  console.log(`${counts.cases} cases: ${counts.accepted} accepted, ${counts.refused} refused`);
  for (const [name, count] of known) console.log(`known difference, ${count} times: ${name}`);
  for (const difference of differences.slice(0, 20)) {
    console.log(`DIFFERENCE ${JSON.stringify(difference)}`);
    console.log(`  again: tools/test_differential ${difference.seed} 1`);
  }
  console.log(`${counts.cases - differences.length} passed, ${differences.length} failed`);
  // No case is no agreement.
  process.exitCode = differences.length === 0 && counts.cases > 0 ? 0 : 1;
}

main();
