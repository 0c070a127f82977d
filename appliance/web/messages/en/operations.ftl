# What school staff, the school's IT person and the prefecture can meet, one message for each error code: what happened;
# .means what it means; .next what to do. Only fields that every error of the code carries are filled in.

## The beginning of a box, and its settings
box-already_founded = This box already belongs to a school
    .means = Nothing was changed.
    .next = Use it as it is. If the administrator's password is lost, appliance-admin staff password sets another one. If it is to become another school's box, call the prefecture.
box-not_founded = This box does not belong to a school yet
    .means = There are no records yet. The program did not start.
    .next = Run appliance init.
config-invalid = The settings do not fit the data or the keys of this box
    .means = The program did not start. The records are unchanged.
    .next = Take back what was changed last in settings or keys. If nothing was, call the prefecture.
config-unknown = The settings file { $file } has an unknown key { $key }
    .means = No settings were read and the program did not start.
    .next = Correct the spelling or remove the line. Known here: { $known }
config-value = The settings file { $file } has a value that cannot be used
    .means = No settings were read and the program did not start. The reason: { $key } { $reason }
    .next = Correct the file and start again.
config-credential = The credential { $name } cannot be read
    .means = The program did not start. The records are unchanged.
    .next = See whether the systemd unit has LoadCredential for { $name } and whether its file is there. By hand, set CREDENTIALS_DIRECTORY to the folder that holds it.
config-run_dir = No socket can be made in the folder { $path }
    .means = The program that reads cards did not start.
    .next = See whether the folder of the setting box.run_dir is there and the card user may write to it.
config-lesson_hours = The lesson hours have a value that cannot be used ({ $value })
    .means = The program that sends records did not start. Guardians can be received.
    .next = Write hours like 08:30-15:45, the end after the beginning, and days as numbers from 1 (Monday) to 7 (Sunday).

## The database
store-missing = There is no database ({ $path })
    .means = The program did not start.
    .next = For a new box, run appliance init. For a box that was in use, do not, and call the prefecture.
keys-running = A key of this box is being changed already
    .means = This command has changed nothing. The other one goes on.
    .next = Wait for the end of the other command, then see what appliance doctor says.
keys-no_room = There is not enough room on the disk to change the key ({ $free_mb } MB free)
    .means = While the key is changed, the database lies on the disk twice: { $need_mb } MB are needed. Nothing was changed.
    .next = Make room on the disk, for example by removing old backups, and run the command again.
keys-no_successor = No new key was handed to this command
    .means = The keys are sealed, and only appliance-admin can make a new one. Nothing was changed.
    .next = Run appliance-admin { $command } as root.
keys-still_read = Another program has been reading an older state of the database for a long time
    .means = The database is under the new key and all records are safe; only the last step of the change is missing.
    .next = When commands such as appliance ledger verify have ended, run the change of the key again: it ends what is missing.
store-wrong_key = The key does not open the database
    .means = The database was not opened and is unchanged. Without its key nobody can read it.
    .next = See whether the credential database.key is this box's. If it still does not open, call the prefecture.
store-too_new = The database ({ $family }) was made by a newer version of the program (database { $database }, program { $program })
    .means = The program did not start. The records are unchanged.
    .next = Go back to the newer version of the program.
store-too_old = The database ({ $family }) waits for { $waiting } migrations
    .means = The program did not start. The records are unchanged.
    .next = Run appliance migrate. Switching the box off and on does it too.
store-seal = A part of what is stored does not open
    .means = That part is damaged or was altered. The other records are not affected.
    .next = Check the ledger with appliance ledger verify and tell the prefecture the result.

## Importing a roster
roster-refused = The roster cannot be imported
    .means = The roster is unchanged.
    .next = Mend the file and import it again.
roster-archive = { $reason ->
        [encrypted] The roster's ZIP has a password
        [method] The roster's ZIP is compressed in a way that is not supported
       *[damaged] The roster's ZIP is damaged, or is no ZIP
    }
    .means = The roster is unchanged.
    .next = { $reason ->
        [encrypted] Make the ZIP again without a password.
        [method] Make the ZIP again with ordinary compression (deflate).
       *[damaged] Export the OneRoster ZIP from the school system once more.
    }
roster-size = The roster file is too large
    .means = The roster is unchanged.
    .next = { $what ->
        [files] A ZIP may hold { $limit } files. Put only the CSV files of OneRoster into it.
        [unpacked] The content of the ZIP may be { $limit } bytes in all. Export this school only.
       *[zip] The ZIP may be { $limit } bytes. Export this school only.
    }
roster-member = { $file } in the ZIP cannot be accepted
    .means = The roster is unchanged.
    .next = { $reason ->
        [folder] Put the CSV files at the top of the ZIP, not into a folder.
        [twice] There are two files of this name. Remove the older one.
       *[unknown] A OneRoster roster has no such file. Take it out of the ZIP.
    }
roster-manifest = { $line ->
        [0] { $file } has no line { $property }
       *[other] { $file }, line { $line }, is not right
    }
    .means = The roster is unchanged.
    .next = { $line ->
        [0] Add a line { $property }, or export again from the school system.
       *[other] Correct the line, or export again from the school system. Wanted: { $property } { $expected }
    }
roster-variant = Another version of OneRoster ({ $file }, line { $line }: { $found })
    .means = The roster is unchanged. Only { $expected } is taken.
    .next = Choose the Japan K-12/Schools Profile v1.0 ({ $expected }) in the school system and export again.
roster-delta = A file of changes only cannot be imported (manifest.csv, line { $line }: { $file })
    .means = The roster is unchanged.
    .next = Choose everything (bulk), not changes (delta), in the school system and export again.
roster-file_missing = The file { $file } is missing
    .means = The roster is unchanged.
    .next = Export again from the school system with { $file }.
roster-file_unwanted = { $file } has no place in a roster (manifest.csv, line { $line })
    .means = The roster is unchanged. Results and the like do not go into this box.
    .next = Export without { $file }, or set its line in manifest.csv to absent.
roster-encoding = { $file }, line { $line }: the text is not UTF-8
    .means = The roster is unchanged.
    .next = { $found ->
        [bom] The file begins with a byte order mark. Save it as UTF-8 without BOM.
       *[not_utf8] It is Shift_JIS or something else. Save it as UTF-8 without BOM.
    }
roster-csv = { $file }, line { $line }, value { $position }: not CSV as agreed
    .means = The roster is unchanged.
    .next = { $expected ->
        [quotes] Put every value between " and ". A " inside a value is written "".
        [comma_or_line_end] A value is followed by a comma or the end of the line.
        [crlf] Lines end with CRLF.
        [text] There is a control character, which cannot be seen. Remove it.
        [rows] There are too many lines. Export this school only.
        [columns] There are too many columns. Look for commas that should not be there.
       *[length] The value is too long. See whether a closing " is missing.
    }
roster-columns = { $file }, line { $line }: { $reason ->
        [missing] the column { $column } is missing
        [unexpected] the column { $column } is unknown
        [twice] the column { $column } is there twice
        [count] not as many values as the header has columns
       *[order] the column { $column } is in the wrong place
    }
    .means = The roster is unchanged.
    .next = { $reason ->
        [missing] Add the column. Capital and small letters matter.
        [unexpected] Correct the spelling or remove the column. Columns of your own begin with metadata. and come last.
        [twice] Remove one of them.
        [count] Look for a comma too many or too few.
       *[order] Put the columns into the order that OneRoster lays down.
    }
roster-value = { $file }, line { $line }, { $column }: empty, or not of the right form
    .means = The roster is unchanged. The form is: { $expected }
    .next = Correct the value. Spreadsheets like to change the form of numbers and dates.
roster-half_width_kana = { $file }, line { $line }, { $column }: half-width katakana
    .means = The roster is unchanged.
    .next = Write full-width katakana.
roster-twice = { $file }, line { $line }, { $column }: the same value as in line { $first }
    .means = The roster is unchanged. A value may stand only once in this column.
    .next = Remove one of the lines or correct the value.
roster-reference = { $file }, line { $line }, { $column }: { $missing } is not in { $target }
    .means = The roster is unchanged.
    .next = Add { $missing } to { $target } or correct the value. See also whether a spreadsheet dropped a leading 0.
roster-school_year = { $file }, line { $line }, { $column }: does not fit the school year
    .means = The roster is unchanged. A school year is from 1 April to 31 March.
    .next = Write { $expected }.
roster-period = { $file }, line { $line }, { $column }: ends before it begins
    .means = The roster is unchanged.
    .next = Correct one of the two dates.
roster-list_length = { $file }, line { $line }: { $column } and { $other } differ in length ({ $found } and { $want })
    .means = The roster is unchanged.
    .next = Give both columns the same number of items in the same order.
roster-kind = { $file }, line { $line }, { $column }: names a { $found ->
        [pupil] pupil
        [guardian] guardian
       *[staff] member of staff
    }, but only a { $expected ->
        [pupil] pupil
        [guardian] guardian
       *[staff] member of staff
    } can be there
    .means = The roster is unchanged.
    .next = Correct the person in this line, or the role in roles.csv.
roster-no_role = { $file }, line { $line }, { $column }: roles.csv has no role for this person
    .means = The roster is unchanged.
    .next = Add a line for this person to roles.csv.
roster-guardian_lists = { $file }, line { $line }, { $column }: the lists of guardians disagree
    .means = The roster is unchanged.
    .next = Name the same people once each in agentSourcedIds and in the guardian columns of metadata.madoguchi.
roster-not_at_school = { $file }, line { $line }, { $column }: names the board instead of the school
    .means = The roster is unchanged.
    .next = Write the sourcedId of the school (type school) in orgs.csv.
roster-one_school = { $file }: { $what ->
        [school] there are { $found } lines of schools
       *[district] the board of education is not given as it should be
    }
    .means = The roster is unchanged. A file is of one school.
    .next = { $what ->
        [school] Leave one line of type school.
       *[district] Leave at most one line of type district, give it no parent, and make it the parent of the school.
    }
roster-org_code = { $file }, line { $line }, { $column }: not the form of a code
    .means = The roster is unchanged.
    .next = For the school write the ministry's code of 13 characters, for the board its code of 6 digits.
school-code_form = This is not the form of a school code ({ $reason ->
        [length] its length
        [type] the kind of school
        [prefecture] the prefecture
        [founder] the founder
       *[number] the number
    })
    .means = Nothing was changed.
    .next = Type the ministry's code of 13 characters (for example B113299900018).
school-unknown_person = Nobody of this kind is in the roster
    .means = Nothing was changed.
    .next = Import the roster again and try once more.
people-unknown = This person is not in the roster
    .means = They left the school, or the address is wrong.
    .next = Search by name or reading on the page of people.

## Signing in
staff-wrong_password = Account or password is wrong
    .means = You are not signed in.
    .next = Look at capital and small letters and type it again. After several wrong ones, signing in is stopped for a while. If it is lost, tell the school's IT person, who can set another one.
staff-account_locked = This account cannot be signed in to now
    .means = Several passwords were wrong, so it is stopped for { $minutes } minutes.
    .next = Try again after that. If it was not you, tell the school's IT person.
staff-weak_password = The password is too short
    .means = Nothing was changed.
    .next = Take at least { $least } characters.
staff-id = { $reason ->
        [taken] This account name is taken
       *[form] This account name cannot be used
    }
    .means = No account was made.
    .next = { $reason ->
        [taken] Choose another one.
       *[form] Take 2 to 32 small letters, digits, dots, hyphens or underscores, beginning with a letter or digit.
    }
staff-unknown_account = There is no such account
    .means = No password was changed.
    .next = Look for its name with appliance-admin staff list and run this again.
staff-sign_in_needed = Please sign in
    .means = You are not signed in, or have been signed out after some time. What you were typing was not saved.
    .next = Sign in again.
link-not_a_guardian = Registration numbers are for guardians of the current roster only
    .means = No number was made.
    .next = See whether this person is a guardian in the roster.

## Ledger and receipts
erase-unconfirmed = Erasing the content of { $numbers } cannot be undone
    .means = Nothing is erased yet.
    .next = Check the numbers and run it again with --yes.
erase-reason = The reason is empty or too long ({ $most } characters at most)
    .means = Nothing is erased yet.
    .next = Name the law or the decision in --reason. Do not write the name of a person.
erase-seal = Record { $index } belongs to the seals for the archive and is not erased
    .means = Nothing is erased yet. There is nothing about a person in it.
    .next = Leave this number out and run it again.
erase-kept = The content of record { $index } says what was erased in an earlier ledger, and stays
    .means = Nothing is erased yet. It names no person.
    .next = Leave out this number and run it again.
ledger-absent = This box has no ledger { $origin }
    .means = Nothing was changed.
    .next = Check the name of the ledger.
ledger-no_generation = The ledger of this box has no generation { $generation }
    .means = Nothing was changed.
    .next = The generations are numbered from 1; the last one is the one that is written now.
ledger-behind_peer = The ledger is older than what the other side has confirmed (here { $own }, there { $size } records)
    .means = It may have been restored from an old backup. Guardians can be received.
    .next = Delete nothing and call the prefecture.
ledger-superseded = This ledger is closed; a new generation goes on in its place
    .means = Nothing was written. Each generation counts from 0, so a number of the earlier one is another record here.
    .next = Look up the number with appliance ledger show and run the command again.
ledger-opening = The first record of the ledger does not say rightly what came before it
    .means = It was not accepted.
    .next = Delete nothing and call the prefecture.
ledger-carried = A record that was carried over has the wrong form
    .means = It is damaged or of another form. The record itself is in the ledger of the earlier generation.
    .next = Delete nothing and call the prefecture.
ledger-branch = The records that were carried over do not lead to the end of the earlier ledger
    .means = Some are missing, or there are others among them.
    .next = Delete nothing, and compare them with the ledger of the earlier generation.
ledger-no_entry = The ledger has no record { $index }
    .means = Nothing was changed.
    .next = Look up the number with appliance ledger show.
ledger-checkpoint = A signature of a ledger, or a receipt, cannot be read
    .means = It has the wrong form or is of another ledger. Whether it is right was not established.
    .next = See whether the file is complete. If it is the box's own ledger, call the prefecture.
ledger-signature = A signature does not match
    .means = The known key did not make it, or the content was altered.
    .next = Read the original receipt again. If it is the box's own ledger, call the prefecture.
ledger-key_ended = Signed with a key that was in use no more (record count { $size }; the key ended before { $end })
    .means = It was made with the old key after the key had been changed. Somebody else may have the old key.
    .next = Do not trust it. Delete nothing and call the prefecture.
ledger-key_history = The keys of the ledger are not in order ({ $reason })
    .means = What is known of which key signed from when on does not fit the ledger.
    .next = If it is a file that you were given, ask for it again. If it is the box's own ledger, delete nothing and call the prefecture.
ledger-succession = The statement that hands over to the new key is not right ({ $reason })
    .means = It was not established that the old key named the new one.
    .next = If it is a file that you were given, ask for it again. If it is the box's own ledger, delete nothing and call the prefecture.
ledger-signing_key = This program holds no key that may sign the ledger
    .means = It has been running since before the box's key was changed, or has the key of another box. Nothing was recorded. All earlier records are safe.
    .next = Start the program again (on a box: systemctl restart appliance.target). If that does not help, see whether the credential device.key is this box's and whether the database was put back from an older copy, and call the prefecture.
ledger-root = The records of the ledger are not those that were signed
    .means = Records may have been lost or altered.
    .next = Delete nothing and call the prefecture now.
ledger-entry_missing = Record { $index } of the ledger is missing
    .means = Later records are there, but this one is lost. It may have been deleted, or the database is damaged.
    .next = Delete nothing and call the prefecture at once.
ledger-body_missing = The content of record { $index } of the ledger is missing ({ $count } in all)
    .means = No record says why, so it was not erased in the proper way. The tree of the ledger is as it was.
    .next = Delete nothing and call the prefecture.
ledger-erasure = What a record says of erasing in an earlier ledger is not right
    .means = It has the wrong form, names a ledger that is no earlier one of the same school, or is said to be erased itself.
    .next = Delete nothing and call the prefecture.
ledger-rolled_back = The database was replaced by an older copy ({ $own } records now, { $size } were signed)
    .means = This box had signed { $size } records. Those after the copy are not in this database.
    .next = Delete nothing, leave the box connected to the line, and call the prefecture.
ledger-forked = The ledger is not the one that was signed or confirmed earlier (at { $size } records)
    .means = The database may have been replaced by another one, or altered.
    .next = Delete nothing and call the prefecture at once.
ledger-note_damaged = The note of the last signature of the ledger (box.head) cannot be read
    .means = The power may have failed while it was written. The records themselves are not affected.
    .next = The next record writes a new note. Then run appliance ledger verify again.
ledger-order = Record { $index } of the ledger is out of order
    .means = It is older than the one before it, or refers to one that is not there yet, or to another start of the box.
    .next = Delete nothing and call the prefecture.
ledger-entry_version = Record { $index } was written by a newer version ({ $type }, version { $version })
    .means = What it says of other records cannot be read here, so nothing was believed. The record itself is not damaged.
    .next = Install the newest version of the program here and try again. Delete nothing.
ledger-proof = The proof that a record is in the ledger does not hold
    .means = The receipt or the ledger may have been altered.
    .next = Read the original receipt again. If it stays so, call the prefecture.
ledger-commitment = The content of a record is not what the ledger committed to ({ $type })
    .means = The content may have been altered. The tree of the ledger is as it was.
    .next = Delete nothing and call the prefecture.
ledger-encoding = A record is not encoded as it should be
    .means = It was altered or damaged on the way. It was not accepted.
    .next = Try again. If it is the box's own ledger, call the prefecture.
ledger-entry_form = There is something that cannot be read as a record
    .means = It is damaged or of another form. It was not accepted.
    .next = If it is the box's own ledger, delete nothing and call the prefecture.
ledger-key_form = The file of a key has the wrong form
    .means = The key was not used.
    .next = Give a P-256 key in PEM.
export-form = This is no exported ledger, or something in it is out of place
    .means = It is another file, or it was altered. Nothing in it was established.
    .next = See whether it is the file that appliance ledger export wrote.
export-version = This exported ledger is of a newer form ({ $version })
    .means = This program cannot check it. That says nothing about its content.
    .next = Check it with a newer version of this program.
export-cut = The end of the exported ledger is missing
    .means = It was cut off while it was copied, or not written to its end. Nothing in it was established.
    .next = Copy the file once more, or have it exported again.
export-altered = The exported ledger is not as it was written
    .means = It was altered or damaged afterwards. Nothing in it was established.
    .next = Copy the file once more, or have it exported again.
export-size = So many records cannot be exported ({ $size } of { $own })
    .means = Nothing was written.
    .next = Give a number from 1 to { $own }, or leave it out for all records.
export-unsigned = The first { $size } records of this earlier ledger cannot be exported alone
    .means = Nobody has signed a tree of exactly so many records, and the key of this ledger signs no more.
    .next = Use --first { $nearest }, or leave out --first for all of it.
export-later_key = The file says that contents were erased by the later ledger { $origin }, whose key was not given
    .means = That cannot be believed without its key ({ $key }). Nothing in the file was established.
    .next = Give the key of that ledger as well with --box-key; appliance receipt key prints it on the box.
export-exists = The file { $file } is there already
    .means = Nothing was written, and the file is as it was.
    .next = Give another name, or --force to replace it.
receipt-number = This is not the form of a receipt number
    .means = Nothing was looked up.
    .next = Give a receipt number such as M-000123, or the index of a record (0 or more).
receipt-text = The text of the receipt is not right (near character { $place })
    .means = Characters are missing or were changed; two spaces may have become one. Whether it is right was not established.
    .next = Take a photo of the QR code and name that, or copy the whole text again.
receipt-form = This is no receipt
    .means = It is neither a receipt's data, nor a text beginning with { $prefix }, nor a picture (PNG, JPEG, WebP).
    .next = See whether it is the right file and not empty.
receipt-length = The file is too large (at most { $most } MB)
    .means = No receipt is as large as this. It was not read.
    .next = Name a photo or a screenshot of the QR code alone.
receipt-no_code = There is no QR code to be found in the picture
    .means = It is not in the picture, or too blurred to read. Whether the receipt is right was not established.
    .next = Take the photo again: all of the QR code with its white border, sharp and large.
receipt-other_code = The QR code in the picture is not a receipt's
    .means = QR codes were read ({ $codes }), and none of them is a receipt.
    .next = Name a picture of the receipt's QR code.
receipt-several = There are { $receipts } receipts in the picture
    .means = It is not known which one is meant, so none was checked.
    .next = Name a picture of one of them alone.
receipt-no_key = There is no key to check it with
    .means = This machine has no credentials of a box, and no key file was named. Nothing was checked.
    .next = Name the public key of the box with --box-key. On a box, run it with appliance-admin.
receipt-no_hub_key = This box has no key of the prefecture
    .means = It is not enrolled yet.
    .next = Enrol it first, or ask the prefecture for its public key.
photo-kind = Pictures of this kind cannot be read
    .means = { $kinds } can be read. Photos of a telephone may be HEIC.
    .next = Save it as JPEG or PNG, or name a screenshot of the photo.
photo-size = The picture is too large (at most { $most } pixels)
    .means = It was not read.
    .next = Name a picture that is cut to the QR code, or saved smaller.
photo-damaged = The picture is damaged and cannot be read
    .means = The file was cut short or altered. Whether the receipt is right was not established.
    .next = Get the picture again, or take it again.
evidence-key_form = The key of the prefecture's verifier is not right
    .means = Evidence can be neither sealed nor opened.
    .next = Give the hub's verifier key (ML-KEM-768 and X25519). On a box, get the enrolment file from the prefecture again.
evidence-sealed = The evidence does not open
    .means = It is another key, or the content was altered. The record itself is unchanged.
    .next = Use the key that it was sealed for: the verifier's, or that of the auditor it was disclosed to. If it still does not open, the content is damaged.
evidence-auditor_key = This is not the right key of an auditor
    .means = Nothing was disclosed and nothing was opened.
    .next = Give the file of an auditor's key: auditor.pub to disclose, auditor.key to audit.
evidence-key_exists = { $file } is there already
    .means = No key was made. What was disclosed for the old key opens with the old key alone.
    .next = Name another place.
evidence-file = This cannot be read as a file of evidence
    .means = It is of another kind or version, or was damaged on the way.
    .next = Check that it is the evidence file of a box, or the prefecture's disclosure, and get it again.
evidence-other_statement = The signed statement is not the one of the record
    .means = It cannot be said that this statement belongs to that record.
    .next = Compare it with the record in the box's ledger, and tell the prefecture.
evidence-other_certificate = The certificate is not the one of the signing
    .means = It cannot be said whose card signed.
    .next = Write the evidence file on the box anew. If nothing changes, tell the prefecture.
evidence-none = This record has no evidence
    .means = It needs no card's signature, or is older than the enrolment, or was erased.
    .next = Check the number with appliance ledger show.
statement-form = The signed statement does not have the right form
    .means = It cannot be said that the box showed it on its screen.
    .next = Tell the prefecture.

## Looking at evidence
proof-good = The evidence is good. The holder of the card signed what is below.
proof-refused = This is no evidence: check { $number } failed. { $reason }
proof-failed-item = The file was damaged on the way, or changed. Get it again from the box or the prefecture.
proof-failed-key = It was not sealed for this key, or something else in it was changed. Check which key it is for.
proof-failed-content = An item was taken for another, or holds something else. Get it again from the box or the prefecture.
proof-failed-form = It does not have the form of a statement that a box shows on its screen.
proof-failed-statement = The signed statement is not that of this record.
proof-failed-certificate = The certificate is not that of the signing.
proof-failed-chain = No named authority issued it, or it was not in force at the signing. Check the root certificates that you named.
proof-failed-signature = This card did not sign this statement.
proof-test_card = It is a test card. It proves nothing of a real person.
proof-result-good = good
proof-result-failed = FAILED
proof-result-open = not checked
proof-check-item = the data have the SHA-256 that the file gives
proof-check-key = the key in hand opens it
proof-check-content = the content opens with the keys of this one act
proof-check-form = the signed statement has its one form
proof-check-statement = the signed statement has the SHA-256 of the record (the file says so)
proof-check-certificate = the certificate is the one of the signing
proof-check-chain = a named authority issued the certificate, and it was in force at the signing
proof-check-signature = this card signed this statement
proof-mirror-committed = This evidence is the one that the mirrored record names.
proof-mirror-other = The mirrored record does not name this evidence: it proves nothing of that record. Have the box write it anew.
proof-mirror-erased = What the mirrored record named is erased here. Whether this evidence is that of the record cannot be established any more.
proof-mirror-absent = The record is not in the mirror. Whether it exists is not established; look with appliance hub schools how far the ledger is here.
proof-revocation = Whether the card was revoked is not checked here.
proof-record = Record: { $number }, ledger { $origin } (the file says so)
proof-school = School: { $name } ({ $code })
proof-time = Time: { $at } (by the clock of the box)
proof-read = What the person read and signed (purpose { $purpose }, language { $language }):
proof-unproven = A statement that is not proven (purpose { $purpose }, language { $language }):
proof-disclosed = { $file } discloses { $number } to the auditor. This one act, and no other, opens with that auditor's key.

## Between box and hub
line-identity = The certificate or key for the line to the prefecture cannot be used
    .means = Nothing can be sent. Guardians can be received and records stay in the box.
    .next = Get the enrolment file from the prefecture again and run appliance enroll.
sync-gap = Records in between have not arrived yet (the next one needed is { $wanted })
    .means = What arrived was not stored. The sender still has it.
    .next = It is sent again by itself. If it goes on for days, call the prefecture.
sync-replayed = Records arrived that were received before
    .means = They were not stored twice. { $size } records have been received.
    .next = It goes on by itself. If it comes again and again, call the prefecture.
sync-other_school = Records of another ledger arrived (this is for { $expected })
    .means = They were not accepted.
    .next = Check how box and hub are enrolled.
sync-malformed = A message arrived that cannot be read
    .means = It was not accepted. The sender still has its records.
    .next = If it goes on, see whether box and hub run versions that fit each other.
sync-oversize = This is more than can be sent at once ({ $bytes } bytes of at most { $most })
    .means = It has not been sent. The records stay in the box.
    .next = Call the prefecture.
enrolment-document = The enrolment file is not right ({ $field })
    .means = The enrolment is unchanged.
    .next = Hand over the file again, without opening or changing it.
enrolment-foreign = This enrolment file is not for this box
    .means = The enrolment is unchanged.
    .next = { $reason ->
        [school] It is another school's. Get this school's file from the prefecture.
        [authority] Its certificate is not of the authority in it. Get the file from the prefecture again.
        [certificate] Its certificate cannot be read. Get the file from the prefecture again.
       *[other] Its keys do not match. Make a new request with appliance enroll request and give it to the prefecture.
    }
enrolment-line_key = The key of the line, line.key, cannot be used
    .means = The enrolment is unchanged.
    .next = See whether the credential line.key is a P-256 key in PEM.
enrolment-token_form = This is no token, or a character of it is wrong
    .means = The enrolment is unchanged, and the token was not used up.
    .next = Type or paste the whole token again.
enrolment-unreachable = The hub at { $host }, port { $port }, does not answer
    .means = The enrolment is unchanged.
    .next = Check the line, then run the same command again with the same token.
enrolment-wrong_hub = What answers at { $host } is not the hub that made this token
    .means = The box told it nothing. The enrolment is unchanged.
    .next = Tell the prefecture, by telephone. If somebody stands between the box and the hub, another line may help.
enrolment-clock = By this box's clock the certificate of the hub at { $host } is not valid
    .means = The clock of the box or of the hub is wrong. The enrolment is unchanged.
    .next = Set the box's clock, then run the same command again.
enrolment-refused = The hub refused this token
    .means = The enrolment is unchanged.
    .next = { $reason ->
        [expired] It was valid for 10 minutes. Ask the prefecture for a new one.
        [used] Another box has used it. If you know of none, tell the prefecture; ask for a new one.
        [school] It is for another school. Ask the prefecture for one with this school's code.
        [tries] It failed too often. Ask the prefecture for a new one.
        [unknown] The hub does not know it, or has made a newer one since. Use the newest, or ask for another.
        [proof] The proof did not arrive as it was sent. Run the same command again.
        [busy] The hub is busy. Wait a minute and run the same command again.
        [admitted_before] The school is enrolled with another box. Ask the prefecture whether this box replaces it.
       *[other] Tell the prefecture what the hub says: { $reason }
    }

## The hub of the prefecture
hub-already_founded = There is a hub at { $path } already
    .means = Nothing was changed. Making it anew would change its keys, and no box would trust it any more.
    .next = Use it as it is. For another hub, give another folder.
hub-not_founded = There is no hub yet ({ $path })
    .means = The hub did not start.
    .next = Run appliance hub init.
hub-authority = The certificate or key of the hub's authority cannot be used
    .means = No box can be enrolled. Boxes that are enrolled are not affected.
    .next = See whether the authority's files are as appliance hub init made them.
hub-certificate_request = The certificate request in the box's file is not right
    .means = The box was not enrolled.
    .next = Have the request made again on the box with appliance enroll request.
hub-admitted_before = The school { $school } is enrolled with another ledger or another key
    .means = The enrolment is unchanged. Either the box was replaced, or somebody claims to be the school.
    .next = Ask the school by telephone. If the box was replaced, tell whoever runs the hub.
hub-token = The token lets nobody in ({ $reason })
    .means = The box was not enrolled.
    .next = Make a new token with appliance hub token.
hub-token_school = { $school } is no school code
    .means = No token was made.
    .next = Give the 13 characters of the school's code.
hub-no_endpoint = The hub takes no tokens: its enrolment endpoint is switched off
    .means = No token was made.
    .next = Set port under [enrolment] in /etc/appliance/hub.toml and start the hub again, or enrol by two files.
hub-revoked = The school is shut out
    .means = Its box gets no new certificate.
    .next = To let a box of it in again, make a token with appliance hub token.
hub-renewed_too_often = The box asks for certificates too often
    .means = It got none this time.
    .next = It asks again by itself.
hub-unknown_school = The school { $school } is not enrolled at this hub
    .means = Nothing was changed.
    .next = Check the school's code. appliance hub schools lists those that are enrolled.
hub-file = The file { $file } cannot be read or written
    .means = Nothing was changed.
    .next = Check where the file is and who may read and write it.

## Trusted certificates and the command line
trust-anchor_file = The file of root certificates cannot be read
    .means = Cards cannot be checked, so it stops here.
    .next = Give a file that holds root certificates in PEM or DER and nothing else.
cli-pin_source = The PIN cannot be taken
    .means = Nothing was sent to the card and no try was used.
    .next = Run it at a terminal, or give --pin-fd a descriptor that can be read.
web-no_sentence = There is no sentence for this ({ $key }, { $language })
    .means = Only the words on the screen are missing. The records are unchanged.
    .next = Tell the prefecture what you see here.
web-message_file = The file of sentences { $file } has a line that cannot be read ({ $line })
    .means = The program did not start. The records are unchanged.
    .next = Install the program again.
web-unknown_host = This address does not lead here
    .means = It is not a name of this box. Nothing was changed.
    .next = Type the address just as the school's IT person gave it. A new name is added to the setting staff.names.

## The sealed keys, the TPM and the recovery text
tpm-tool = The TPM cannot be used: { $program } failed ({ $reason })
    .means = The keys are unchanged.
    .next = See whether the TPM is switched on in the firmware set-up and the package tpm2-tools is installed.
tpm-pcrs_unset = The firmware measured nothing into PCR { $pcrs }
    .means = A key bound to it would be bound to nothing, so none was sealed. The keys are unchanged.
    .next = Switch on the TPM and Secure Boot in the firmware set-up. If the board cannot measure, write tpm = "never" below [keys] in /etc/appliance/site.toml; the keys are then bound to the disk only.
tpm-owned = The TPM has a lockout authorization that this installation does not know
    .means = Power cuts would lock the keys, so none was sealed. The keys are unchanged.
    .next = Clear the TPM in the firmware set-up, then run the command again. What was sealed in it before no longer opens.
keys-pcrs_changed = The key { $name } does not open: the firmware or its Secure Boot keys changed since it was sealed
    .means = The box does not start. The records are unchanged.
    .next = If nobody changed anything on purpose, call the prefecture. Otherwise undo the change and run appliance-admin keys seal --without-tpm before the next try, or restore with the recovery text (appliance-admin keys restore).
keys-other_tpm = The key { $name } does not open: it was sealed for another TPM, or this one was cleared
    .means = The box does not start. The records are unchanged.
    .next = Fetch the recovery text from the safe and run appliance-admin keys restore.
keys-tpm_locked = The key { $name } does not open: the TPM is locked because it was cut from power too often
    .means = The box does not start. The records are unchanged.
    .next = Run appliance-admin keys prepare, which unlocks it. If that does not help, leave the box on for a day.
keys-tpm_absent = The key { $name } does not open: no TPM answers
    .means = The box does not start. The records are unchanged.
    .next = See whether the TPM is switched on in the firmware set-up. If it is broken, restore with the recovery text (appliance-admin keys restore).
keys-unopened = The key { $name } cannot be opened or sealed ({ $reason })
    .means = The records are unchanged.
    .next = Run it as root on the box itself. If the disk was replaced, restore with the recovery text (appliance-admin keys restore).
keys-none = There are no sealed keys in { $folder }
    .means = The box was not founded on this disk, or its disk was replaced.
    .next = Run appliance-admin init for a new box, or appliance-admin keys restore with the recovery text.
keys-not_private = The recovery text is not written into a pipe or a log
    .means = Nothing was printed.
    .next = Run it at a terminal, or name a new file with --out.
keys-present = The keys of this box are here and open
    .means = Nothing was changed.
    .next = Nothing needs to be restored. To seal them anew, run appliance-admin keys seal.
keys-other_paper = The key { $name } that is here opens, and the recovery text has another one
    .means = Nothing was changed.
    .next = See whether the paper belongs to this school's box and is the newest one.
recovery-number = Row { $row } does not begin with the number of a line (1 to { $lines }) and a colon
    .means = Nothing was changed.
    .next = Type the line as on the paper, for example 3: and then the groups of characters.
recovery-symbol = Line { $line } has the character { $symbol }, which no recovery text has
    .means = Nothing was changed.
    .next = Compare line { $line } with the paper. There are digits and letters without I, L, O and U.
recovery-length = Line { $line } has { $found } characters instead of { $wanted }
    .means = Nothing was changed.
    .next = Compare line { $line } with the paper, group by group.
recovery-check = Something in line { $line } is mistyped
    .means = Nothing was changed.
    .next = Compare line { $line } with the paper, character by character. 8 and B, 5 and S, 2 and Z look alike.
recovery-twice = Line { $line } is there twice and differs
    .means = Nothing was changed.
    .next = Delete the wrong one, or see whether two papers were mixed.
recovery-missing = These lines are missing: { $missing }
    .means = Nothing was changed.
    .next = Type all lines of the paper.
recovery-key = Lines { $first } and { $last } do not belong together
    .means = Nothing was changed.
    .next = Compare both lines with the paper, and see whether two papers were mixed.

## Backup and restore
backup-form = This is no backup of a box { $reason ->
        [version] (it was written by a newer version)
        [kind] (another kind of file)
       *[other] (its beginning is damaged)
    }
    .means = Nothing was changed.
    .next = Take the file ending in .backup for --backup and the one ending in .keys for --keys, each as it was written.
backup-damaged = The backup is damaged (part { $chunk })
    .means = Something in it was altered, or its end is missing. Nothing was restored.
    .next = Copy the file again from where it is kept. If it stays damaged, take the backup before it.
backup-recipient = The backup was sealed for another key ({ $wanted })
    .means = The key that is here does not open it. Nothing was changed.
    .next = Use the hub-backup.key of the hub that this box was enrolled at when the backup was made.
backup-content = What is in the backup cannot be read ({ $reason })
    .means = It opens, but it is not what a box writes. Nothing was restored.
    .next = Take the backup before it, and tell the prefecture the word in brackets.
backup-key = This is no public key for backups
    .means = No backup was made.
    .next = Give the file backup.pub from the prefecture's hub.
backup-no_key = The box knows no key of the prefecture for backups
    .means = No backup was made: nobody could open it.
    .next = Let the prefecture run appliance hub backup-key and admit the box again (appliance enroll), or give the key with --to.
backup-write = The backup cannot be written to { $folder } ({ $reason })
    .means = No backup was made, and nothing of it is left there. The box itself is as it was.
    .next = See whether the medium is there, can be written and has room, and run it again.
restore-document = This is not the right file: { $expected } was expected
    .means = Nothing was changed.
    .next = The request comes from appliance restore request on the new box, the release from appliance hub release.
restore-release = The prefecture's release does not fit { $reason ->
        [files] these two files
       *[request] the request of this box
    }
    .means = Nothing was restored.
    .next = Ask the prefecture for a release for exactly this backup, these keys, and the request that this box made last.
restore-no_request = This box has not asked for a backup, or its request is used up
    .means = Nothing was restored.
    .next = Run appliance restore request and let the prefecture release the backup for it.
restore-present = There is a box in { $path } already
    .means = Nothing was changed: a backup is never restored over records.
    .next = Restore into a box that was not founded. If the records here are damaged, keep them and call the prefecture.
restore-pair = The backup and the keys do not belong together { $reason ->
        [school] (they are of two schools)
       *[older] (the keys are older than the backup)
    }
    .means = Nothing was restored.
    .next = Take the newest file of keys of this school; it opens every older backup.
restore-ledger = The records in the backup do not verify ({ $error }, { $origin })
    .means = They were altered before or after the backup was made. Nothing was restored.
    .next = Take the backup before it, keep this one, and tell the prefecture the words in brackets.
hub-no_new_generation = The request ({ $asked }) is for no new ledger of the school { $school }
    .means = Nothing was admitted.
    .next = Leave out --new-generation. It is only for a box that was restored and asks with a ledger later than the known one.
hub-unknown_box = This hub has never admitted the ledger { $origin } of the backup
    .means = Nothing was released: nobody here can tell whether that box wrote it.
    .next = Check with the school where the backup comes from. If you are sure, run it again with --not-admitted.

## Seals for the archive
archive-form = A seal for the archive, or its key, has the wrong form
    .means = It may be out of order as well. With this seal nothing can be established.
    .next = Keep this ledger and its backups, and call the prefecture.
archive-tree = The seal for the archive of { $date } is not of the ledger at the end of that day
    .means = Records up to that day may have been added, removed or altered since.
    .next = Keep this ledger and its backups, and call the prefecture.
archive-not_introduced = The seal for the archive of { $date } is under a key that the ledger never introduced
    .means = Nobody knows whose key it is. The records may be forged.
    .next = Keep this ledger and its backups, and call the prefecture.
archive-signature = The seal for the archive of { $date } does not match
    .means = The introduced key did not make it, or the records up to that day were altered.
    .next = Keep this ledger and its backups, and call the prefecture.
archive-other_key = The ledger's key for the archive ({ $key_id }) is none of those given
    .means = It may be the key of another box, or the ledger is forged.
    .next = Compare it with what appliance-admin receipt key --archive prints on the box.
archive-key_form = The file of a key for the archive has the wrong form
    .means = The key was not used.
    .next = Give an ML-DSA-65 key in PEM.
archive-no_key = This box has no key yet to seal its records for the archive
    .means = No day was sealed. The records and their usual signatures are as they were.
    .next = Run appliance-admin keys complete, which makes one, and then appliance-admin ledger seal.
archive-none = No day of this ledger was sealed for the archive yet
    .means = The key for it is not in the ledger.
    .next = Wait for the coming night, or run appliance-admin ledger seal.

## What staff see while something is recorded (the window says the sentences of errors.ftl)
staff-back = Back to the page of today
staff-to-box = See the state of the box
staff-clock-wrong = The clock of the box is wrong
    .means = What you did just now was not recorded. Numbers that expire cannot be made until the clock is right.
    .next = The clock sets itself once the line is up. If it is still wrong after ten minutes, call the prefecture.
staff-store-busy = Another record is being written
    .means = What you did just now was not recorded.
    .next = Please wait for a minute and try again. If this keeps coming back, look at the page on the state of the box.
staff-store-disk_full = The disk is full
    .means = What you did just now was not recorded. Earlier records are safe.
    .next = Receive guardians on paper for now. Call the prefecture now and say that the disk is full.
staff-store-read_only = The disk cannot be written
    .means = What you did just now was not recorded. Earlier records are safe.
    .next = Receive guardians on paper for now. Follow the page on the state of the box; if it does not open, call the prefecture.
staff-store-fault = The disk could not be read or written
    .means = What you did just now was not recorded. What the window called recorded is not lost.
    .next = Wait for a minute and open the page again. If this comes back, receive guardians on paper, do not switch the box off, and call the prefecture now: say that the disk reports errors.
