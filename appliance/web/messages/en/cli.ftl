# What the command line answers, for school IT staff, the prefecture and installers.
cli-init-done = The box of { $name } ({ $school }) is founded.
    Administrator: { $admin }
cli-init-password = Password: { $password }
    It is not shown again. Write it down and keep it in a safe place.
cli-staff-none = There is no account yet.
cli-staff-password-set = The account { $account } has a new password. The old one does not work any more, and whoever was signed in with it is signed out.
cli-migrate-none = The database is up to date.
cli-migrate-generation = The database was put back to a copy from before the change of the box's key. The ledger goes on in a new generation ({ $origin }). The records that the copy has are kept, and the hub hears of it at the next connection.

cli-keys-rewriting = The database is being written anew: { $percent } %. Screens can be read, records wait.
cli-keys-rewritten = The database is under the new key.
cli-keys-checking = Every page is being checked.
cli-keys-rotated = The key of the database was changed. The old key opens nothing any more.
cli-keys-rotated-sealed = The database is under the new key. It remains to seal it in place of the old one: appliance-admin does that.
cli-keys-device-rotated = The key that signs the ledger was changed. From { $size } records on, the new key { $key_id } signs. The old key can sign nothing that comes from now on.
cli-keys-device-sealed = It remains to seal it in place of the old one: appliance-admin does that.
cli-keys-print-anew = The recovery text in the safe is out of date. Print it anew with appliance-admin keys print and put it in the place of the old paper.

cli-enroll-request = Give { $file } to the prefecture. It holds no secret.
cli-enroll-token = Token:
cli-enroll-accepted = The box is enrolled at the hub { $hub }. It sends as soon as the line is up.

cli-doctor-well = All is well.

cli-sync-counts = { $recorded } recorded = { $receipted } received by the prefecture + { $pending } pending
cli-sync-line-up = Line: up
cli-sync-line-down = Line: down
cli-sync-line-none = Line: not enrolled
cli-sync-oldest = Oldest pending record: { $at }

cli-config-none = Everything is as shipped.
cli-config-changed = { $name } = { $now }    (default { $default })

cli-erase-due = The content of { $count } records is kept no longer ({ $rule }).
cli-erase-none = There is no content to erase.
cli-erase-done = The content of { $count } records is erased. The records and their signatures stay.
cli-erase-uncleaned = Another program is reading the database, so its log still holds the content. The next run removes it.

cli-ledger-good = Ledger { $origin }
    { $count } entries. Tree and signature are good.
cli-ledger-delivery = { $receipted } received by the prefecture, { $pending } waiting
cli-ledger-bad = The ledger is not good: { $reason }
cli-ledger-unchecked = The ledger could not be read to its end: { $reason }
cli-ledger-damage = Damage in the database: { $fault }
cli-ledger-erased-later = The content of { $count } records is gone, and a later ledger of this box says why.
cli-ledger-where = {"    "}The tree differs from what was stored between records { $first } and { $last }
cli-ledger-record = {"    "}It concerns record { $index }.
cli-ledger-earlier = Checked with it: earlier ledger { $origin }, { $count } entries
cli-ledger-mirror = Checked with it: copy of the prefecture's ledger { $origin }, { $count } entries
cli-ledger-damage-more = ... and { $count } more like these
cli-ledger-next = What to do: change and delete nothing, leave the box switched on, and tell the prefecture what is written here.
cli-progress = { $percent } % ({ $done } of { $total })
cli-seal-done = { $count } days are sealed for the archive, the last one is { $date }.
cli-seal-none = There is no day to seal for the archive.
cli-seal-reach = Sealed for the archive: { $entries } records up to { $date } ({ $count } seals, key { $key_id })
cli-seal-nothing = Sealed for the archive: nothing yet
cli-seal-unread = { $count } seals for the archive could not be checked, because their content or that of their key is gone.
cli-seal-key-unknown = The key of the seals is the one that the ledger itself names; it was not compared with another (--archive-key).
cli-ledger-received = received
cli-ledger-waiting = waiting

cli-receipt-issuer = Whose it is: a receipt of { $origin }. The key that signed it is known ({ $key_file })
cli-receipt-own-key = this box's own key
cli-receipt-issuer-claimed = Whose it is: not established. It says that it is of { $origin }
cli-receipt-issuer-unknown = Whose it is: not known. It says that it is of { $origin }, but the key that signed it (id { $key_id }) is not known here. That does not mean that it is forged.
    Get the public key of that box from the prefecture and name it with --box-key.
cli-receipt-unchanged = Unchanged: yes ({ $number } { $type })
cli-receipt-changed = Unchanged: no. It was altered since it was made, or was never genuine.
    { $reason }
cli-receipt-unproven = Unchanged: cannot be told without the key
cli-receipt-recorded = Recorded: { $at } (by the clock of the box)
cli-receipt-confirmed = Received by the prefecture: yes, { $at } (by the clock of { $hub })
cli-receipt-unconfirmed = Received by the prefecture: not yet when this receipt was made
cli-receipt-confirmation-unknown = Received by the prefecture: cannot be told. It says that { $hub } received it, but the key that signed that (id { $key_id }) is not known here

cli-evidence = The evidence of { $number } is in { $file }. Only the prefecture's verifier can open it.
cli-auditor-key = The auditor's keys are made.
    private key: { $private } (yours alone: give it to nobody)
    public key: { $public } (give it to the prefecture)

cli-export-written = { $file }: { $entries } records, { $bytes } bytes
cli-export-personal = It holds the contents of { $bodies } records, which are personal. Keep it in a safe place.
cli-export-impersonal = It holds no contents: nothing personal is in it.
cli-export-issuer = Written by { $origin } (the key given: { $key_id })
cli-export-issuer-unknown = Says that it was written by { $origin } (key { $key_id }). No key was given, so this is not established.
cli-export-issuer-other = Says that it was written by { $origin }, but with a key (id { $key_id }) that is none of those given. Nothing else was checked. That does not mean that it is forged.
cli-export-unchanged = Content: { $entries } records, signed { $at } (unchanged)
cli-export-part = The ledger goes on after these records.
cli-export-confirmed = Received by the prefecture: the first { $entries } records, { $at } ({ $hub })
cli-export-unconfirmed = Received by the prefecture: no confirmation in this file
cli-export-confirmation-unknown = Received by the prefecture: not checked, the hub's key was not given
cli-export-bodies = Contents of { $bodies } records as they were recorded, { $erased } erased
cli-export-erased-later = Of the erased ones a later ledger of the box says so of { $count }.

cli-roster-imported = The roster is imported: { $classes } classes, { $pupils } pupils, { $guardians } guardians, { $staff } staff

cli-card-good = good
cli-card-refused = refused
cli-card-revocation-unknown = revocation not checked
cli-card-tries = tries left: { $tries }
cli-card-took = { $exchanges } exchanges, { $bytes } bytes, { $ms } ms
cli-card-no-reader = no reader
cli-card-service_absent = the PC/SC service (pcscd) does not answer
cli-card-reader_absent = no card reader is connected
cli-card-empty = ready, no card
cli-card-present = a card lies on it
cli-card-mute = a card lies on it and does not answer: turn it over or clean it

cli-file = { $file } cannot be used: { $reason }
    .means = Nothing was changed.
    .next = Check the name of the file and whether you may read or write it.
cli-password = The password cannot be read
    .means = Nothing was changed.
    .next = Give it as one line of UTF-8 text on the file descriptor that --password-fd names.

cli-keys-prepared = New keys will be sealed like this:
cli-keys-sealed = { $count } keys are sealed.
cli-keys-tpm = Bound to this box's TPM and its firmware (PCR { $pcrs }).
cli-keys-host = Bound to this installation only: whoever has a copy of the disk can open them.
cli-keys-printed = The recovery text is in { $file }. Put it into the safe and delete the file.
cli-keys-restored = The keys of the recovery text are sealed on this machine. Run appliance-admin doctor next.
cli-keys-completed = A new key was made and sealed: { $names }. Print the recovery text again (appliance-admin keys print) and put it in the place of the old paper.
cli-keys-whole = All keys are there.
cli-keys-paper-ends = If the paper ends here, press Enter: it was printed before there was a key for the archive, and a new one is made.
cli-receipt-archive-key = The key that seals each day for the archive. SHA-256: { $fingerprint }
cli-keys-paper = Madoguchi: recovery text of the keys
    Whoever has this paper can open all records of the box. Keep it in the board of education's safe.
    To restore: appliance-admin keys restore. Type what follows the colon of each line.
    There is no letter I, L, O or U in it; 0 and 1 are digits.
    School:                         Date:

cli-backup-done = The backup is made: { $count } records, and everything else the box knows.
    { $backup }
    { $keys }
    Both open at the prefecture only. Keep as many backups as you like, but of the keys only this newest file: it opens every older backup as well.
    Destroy all older files of keys, also copies elsewhere: they still open what was erased since.
cli-backup-removed = { $count } older files of keys in this folder were removed.

cli-restore-request = Give { $file } and the two files of the backup to the prefecture. The request holds no secret.
    Its number is { $number }: read it to the prefecture over the telephone, so that nobody can swap the file.
cli-restore-done = The box is restored: { $count } records of { $previous } are here and verify.
    With new keys it goes on in the ledger { $origin }.
cli-restore-erased = The content of { $count } records was erased after the backup was made, and stays erased.
cli-restore-next = Now run appliance enroll request; the prefecture admits the box with --new-generation. Destroy the release and the files of keys that were copied here.

cli-line-none = The line has not been measured yet; the box does so by itself at night.
cli-line-no-pupils = Without a roster the recommended bandwidth is not known.
cli-line-recommended = Recommended for the time being for a school of { $pupils } pupils: { $mbit } Mbit/s
cli-line-share = The latest measurement is { $percent }% of that
cli-line-sample = { $at }    { $mbit } Mbit/s    there and back { $rtt } ms
