// SPDX-License-Identifier: Apache-2.0
// Judges the cases of differential_cases with another verifier and compares the verdicts: accepted
// or refused, status and advisories, and the reason of a refusal.
// usage: differential_cases SEED COUNT | node compare.js
'use strict';

const readline = require('node:readline');
const { QuoteVerifier } = require('@phala/dcap-qvl/src/verify');

// What the other verifier says for each of our codes.
const REASONS = {
  pck_chain_untrusted: /^Failed to verify certificate chain/,
  tcb_chain_untrusted: /^Failed to verify certificate chain/,
  tcb_info_untrusted: /^Signature is invalid for tcb_info$/,
  qe_identity_untrusted: /^Signature is invalid for qe_identity$/,
  qe_report_untrusted: /^Signature is invalid for qe_report in quote$/,
  attestation_key_unbound: /^QE report hash mismatch$/,
  quote_untrusted: /^ISV enclave report signature is invalid$/,
  certificate_revoked: /^Certificate is revoked$/,
  tcb_info_mismatch: /^Fmspc mismatch$/,
  qe_identity_mismatch: /^QE (MRSIGNER|ISVPRODID|MISCSELECT|ATTRIBUTES) mismatch/,
  pck_chain_expired: /^Certificate is expired or not yet valid$/,
  tcb_chain_expired: /^Certificate is expired or not yet valid$/,
  tcb_info_expired: /^TCBInfo (expired|issue date is in the future)$/,
  qe_identity_expired: /^QE Identity (expired|issue date is in the future)$/,
  tcb_revoked: /^TCB status is invalid: Revoked$/,
  tcb_not_supported: /^(No matching TCB level found|QE ISVSVN \d+ is below minimum)/,
  enclave_debug: /^Debug mode is enabled$/,
};

// Faults that the other verifier is known not to see, and why they are faults.
const UNSEEN = {
  pce_id: 'it does not compare PCEID',
  report_data_tail: 'it looks at half of the QE report data only',
  root_crl_signer: 'it does not check who signed revocation lists',
  pck_crl_signer: 'it does not check who signed revocation lists',
  root_crl_dates: 'it does not look at the dates of revocation lists',
  pck_crl_dates: 'it does not look at the dates of revocation lists',
  qe_bit_outside_of_mask: 'it masks what is published too, where Intel masks the report only',
  module: 'it does not know the identities of TDX modules',
  module_level: 'it does not know the identities of TDX modules',
};

const DEBUG_QE = 'it refuses a QE in debug mode even where the mask leaves the bit out; Intel does not';
const ORDER = 'it takes levels in the order of the document, where Intel sorts them';
const JOINED = 'it takes the worse of two statuses, where Intel joins them: an outdated QE turns ' +
  'ConfigurationNeeded into OutOfDateConfigurationNeeded';
const MODULE = 'it does not join the status of the TDX module';

function ask(c, collateral) {
  try {
    const report = QuoteVerifier.newWithRootCa(Buffer.from(c.root, 'hex'))
      .verify(Buffer.from(c.quote, 'hex'), collateral, c.now);
    return { accepted: true, status: report.status, advisories: report.advisory_ids };
  } catch (error) {
    // Its refusals are plain errors; anything else is a fault of it or of the cases.
    return { accepted: false, reason: error.message, crashed: error.constructor !== Error };
  }
}

const sorted = (list) => [...new Set(list)].sort().join(' ');

const same = (ours, theirs) =>
  ours.status === theirs.status && sorted(ours.advisories) === sorted(theirs.advisories);

// As Intel joins the status of a platform with that of its QE or TDX module (QuoteVerification,
// EvaluateTcb), for those that can be accepted.
function join(platform, part) {
  if (part !== 'OutOfDate') return platform;
  if (platform.startsWith('Configuration')) return 'OutOfDateConfigurationNeeded';
  return platform === 'OutOfDateConfigurationNeeded' ? platform : 'OutOfDate';
}

function expected({ clean, module }) {
  if (module === null) return { ...clean, status: join(clean.platform, clean.qe) };
  return {
    status: join(join(clean.platform, module.status), clean.qe),
    advisories: [...clean.advisories, ...module.advisories],
  };
}

// Why ours is wrong about what was made wrong; null when it is right.
function wrong(c) {
  const codes = c.faults.map((fault) => fault.code);
  if (c.ours.accepted && codes.length > 0) return 'ours misses a fault';
  if (c.ours.accepted) return same(expected(c), c.ours) ? null : 'ours has another status';
  if (codes.length === 0) return 'ours sees a fault that was not made';
  return codes.includes(c.ours.code) ? null : 'ours gives another reason';
}

// The known differences that explain an acceptance, or null when something else is different.
function explain_acceptance(c, theirs) {
  const unseen = c.faults.map((fault) => UNSEEN[fault.name]);
  if (unseen.includes(undefined)) return null;
  if (unseen.length === 0 && same(c.ours, theirs)) return [];
  // What it does not look at may be wrong or make a status worse; all else has to agree.
  const { clean } = c;
  if (c.has_module && unseen.length === 0) unseen.push(MODULE);
  if (same(clean, theirs)) return unseen.length > 0 ? unseen : null;
  const worse = clean.qe === 'OutOfDate' && clean.platform.startsWith('Configuration');
  return worse && same({ ...clean, status: 'OutOfDate' }, theirs) ? [...unseen, JOINED] : null;
}

// The same for a refusal: its reason has to be that of one of the faults.
function explain_refusal(c, theirs) {
  const seen = c.faults.filter((fault) => UNSEEN[fault.name] === undefined);
  if (seen.some((fault) => REASONS[fault.code]?.test(theirs.reason))) return [];
  return c.is_debug_qe && theirs.reason === 'Debug mode is enabled' ? [DEBUG_QE] : null;
}

function explain(c, theirs) {
  if (theirs.crashed) return null;
  return theirs.accepted ? explain_acceptance(c, theirs) : explain_refusal(c, theirs);
}

// The known differences of a case, or what else is different.
function compare(c) {
  const fault = wrong(c);
  const theirs = ask(c, c.collateral);
  if (fault !== null) return { difference: fault, theirs };
  const known = explain(c, theirs);
  if (known !== null) return { known };
  if (c.ordered === undefined) return { difference: 'the verdicts differ', theirs };
  const in_order = explain(c, ask(c, { ...c.collateral, ...c.ordered }));
  return in_order === null ? { difference: 'the verdicts differ', theirs }
    : { known: [...in_order, ORDER] };
}

async function main() {
  const counts = { cases: 0, accepted: 0, refused: 0 };
  const known = new Map();
  const differences = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const c = JSON.parse(line);
    const found = compare(c);
    counts.cases += 1;
    counts[c.ours.accepted ? 'accepted' : 'refused'] += 1;
    for (const name of new Set(found.known)) known.set(name, (known.get(name) ?? 0) + 1);
    if (found.difference === undefined) continue;
    const { seed, faults, ours, clean } = c;
    differences.push({ seed, ...found, faults, ours, clean });
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
